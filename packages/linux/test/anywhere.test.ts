import { describe, expect, it } from 'vitest'
import { hostErrno } from '../src/errno.ts'
import { ifNameProblem } from '../src/ifreq.ts'
import { loadKoffi } from '../src/koffi.ts'
import { parseLinkEvents } from '../src/link-monitor.ts'

describe('loadKoffi', () => {
  it.each(['darwin', 'win32'])('says that %s has no Linux system calls, and what works there', (platform) => {
    expect(() => loadKoffi(platform)).toThrow(
      expect.objectContaining({
        code: 'EOPNOTSUPP',
        message: expect.stringContaining(`this is ${platform}`),
      }),
    )
  })
})

describe('hostErrno', () => {
  it('keeps the name of a known error', () => {
    expect(hostErrno(1, 'not you')).toMatchObject({ code: 'EPERM', errno: -1, message: 'not you' })
  })

  it('takes the nearest for an error the model has not', () => {
    expect(hostErrno(77)).toMatchObject({ code: 'ENODEV' })
    expect(hostErrno(9999)).toMatchObject({ code: 'EIO', message: 'error 9999 of the host' })
  })
})

describe('ifNameProblem', () => {
  it.each(['eth0', 'fifteen-letters', 'a.1', 'tap%d'])('%s is a name', (name) => {
    expect(ifNameProblem(name)).toBeNull()
  })

  it.each(['', '.', '..', 'sixteen-letters-', 'a b', 'a/b', 'a:1', 'a\tb'])('%j is none', (name) => {
    expect(ifNameProblem(name)).not.toBeNull()
  })
})

describe('parseLinkEvents', () => {
  /** A message about an interface, with a name. */
  function message(type: number, index: number, flags: number, name: string): Uint8Array {
    const text = new TextEncoder().encode(`${name}\0`)
    const bytes = new Uint8Array(32 + ((4 + text.length + 3) & ~3))
    const view = new DataView(bytes.buffer)
    view.setUint32(0, 32 + 4 + text.length, true)
    view.setUint16(4, type, true)
    view.setInt32(20, index, true)
    view.setUint32(24, flags, true)
    view.setUint16(32, 4 + text.length, true)
    view.setUint16(34, 3, true)
    bytes.set(text, 36)
    return bytes
  }

  it('reads what came and what went', () => {
    const both = Uint8Array.of(...message(16, 7, 0x43, 'tap0'), ...message(17, 8, 0, 'veth-long-name'))
    expect(parseLinkEvents(both)).toEqual([
      { kind: 'link', index: 7, name: 'tap0', flags: 0x43 },
      { kind: 'gone', index: 8, name: 'veth-long-name', flags: 0 },
    ])
  })

  it('is not led astray by lengths that lie', () => {
    const good = message(16, 7, 1, 'tap0')
    for (let at = 0; at < good.length; at++) {
      for (const value of [0, 1, 3, 0x7f, 0xff]) {
        const bad = good.slice()
        bad[at] = value
        for (const event of parseLinkEvents(bad)) expect(event.name.length).toBeLessThan(64)
      }
      expect(() => parseLinkEvents(good.subarray(0, at))).not.toThrow()
    }
  })
})
