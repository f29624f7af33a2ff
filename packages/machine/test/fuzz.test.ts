import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Errno } from '@vnet/kernel'
import { NetlinkProtocolNr, type NlWriter, SockAf, sockCreate } from '@vnet/netlink'
import { configured } from './helpers/machine.ts'
import { Rtnl } from './helpers/netlink.ts'

/** Runs what may be refused; anything but a refusal comes out. */
function mayRefuse(fn: () => unknown): void {
  try {
    fn()
  } catch (error) {
    if (!(error instanceof Errno)) throw error
  }
}

const TYPES = [16, 18, 19, 20, 21, 22, 24, 25, 26, 28, 29, 30, 32, 33, 34, 58, 66, 80, 82]
const byte = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(0, 1, 2, 10, 24, 32, 64, 128, 253, 254, 255) },
  fc.nat(255),
)
const attr = fc.tuple(
  fc.nat(32),
  fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.array(byte, { minLength: 4, maxLength: 4 }).map((b) => Uint8Array.from(b)),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  ),
  fc.boolean(),
)

describe('requests of any shape', () => {
  it('rtnetlink answers each and breaks no rule', () => {
    const { machine } = configured()
    const strict = new Rtnl(machine.netlink)
    const loose = new Rtnl(machine.netlink, { strict: false })
    fc.assert(
      fc.property(
        fc.constantFrom(...TYPES),
        fc.constantFrom(0, 4, 0x300, 0x304, 0x604, 0x504, 0x104),
        fc.array(byte, { maxLength: 20 }),
        fc.array(attr, { maxLength: 6 }),
        fc.boolean(),
        (type, flags, header, attrs, isStrict) => {
          const rtnl = isStrict ? strict : loose
          mayRefuse(() =>
            rtnl.ask(type, flags, header, (w: NlWriter) => {
              w.align()
              for (const [nr, bytes, nested] of attrs) w.putBinary(nested ? nr | 0x8000 : nr, bytes)
            }),
          )
        },
      ),
      { numRuns: 3000 },
    )
    machine.kernel.runFor(10e9)
    machine.poweroff()
    expect(machine.kernel.violations).toEqual([])
    expect(machine.kernel.census.take()).toEqual([])
  })

  it('files of the whole machine give a text or an errno', () => {
    const { machine } = configured()
    const { vfs } = machine
    const all: string[] = []
    const walk = (path: string): void => {
      for (const name of vfs.list(path === '' ? '/' : path)) {
        const below = `${path}/${name.replace(/\/$/, '')}`
        if (name.endsWith('/')) walk(below)
        else all.push(below)
      }
    }
    walk('')
    expect(all.length).toBeGreaterThan(200)
    const text = fc.oneof(
      fc.constantFrom('0', '1', '-1', '1\n', '0x10', '99999999999', 'max', 'add', 'module vnet +p', ''),
      fc.string({ maxLength: 5000 }),
    )
    fc.assert(
      fc.property(fc.constantFrom(...all), text, (path, what) => {
        mayRefuse(() => vfs.read(path))
        mayRefuse(() => vfs.write(path, what))
        mayRefuse(() => vfs.read(path))
      }),
      { numRuns: 2000 },
    )
    machine.kernel.runFor(1e9)
    machine.poweroff()
    expect(machine.kernel.violations).toEqual([])
    expect(machine.kernel.census.take()).toEqual([])
  })

  it('sockets take or refuse every option, address and control message', () => {
    const { machine } = configured()
    const who = { pid: 1, capNetAdmin: true }
    const kind = fc.constantFrom([2, 0], [2, 1], [3, 1], [3, 58], [3, 255], [2, 58])
    const sockaddr = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .tuple(fc.constantFrom(0, 2, 10), fc.array(byte, { minLength: 14, maxLength: 26 }))
        .map(([f, rest]) => Uint8Array.from([f, 0, ...rest])),
    )
    fc.assert(
      fc.property(
        fc.constantFrom(2, 10),
        kind,
        fc.array(fc.tuple(fc.constantFrom(0, 1, 41, 58, 255), fc.nat(80), fc.uint8Array({ maxLength: 40 })), {
          maxLength: 5,
        }),
        fc.array(sockaddr, { minLength: 3, maxLength: 3 }),
        fc.uint8Array({ maxLength: 100 }),
        fc.uint8Array({ maxLength: 80 }),
        (family, [type, protocol], options, [a, b, c], bytes, control) => {
          mayRefuse(() => {
            const sock = sockCreate(machine.kernel, family, type!, protocol!, who)
            for (const [level, name, value] of options) {
              mayRefuse(() => sock.setsockopt(level, name, value))
              mayRefuse(() => sock.getsockopt(level, name, value))
            }
            mayRefuse(() => sock.bind(a!))
            mayRefuse(() => sock.connect(b!))
            mayRefuse(() => sock.sendmsg({ bytes, address: c!, control, flags: 0 }))
            mayRefuse(() => sock.sendmsg({ bytes, address: null, flags: 0 }))
            mayRefuse(() => sock.recvmsg(100, 0))
            mayRefuse(() => sock.recvmsg(100, 0x2000))
            mayRefuse(() => sock.getsockname())
            sock.close()
          })
        },
      ),
      { numRuns: 1500 },
    )
    machine.kernel.runFor(10e9)
    machine.poweroff()
    expect(machine.kernel.violations).toEqual([])
    expect(machine.kernel.census.take()).toEqual([])
  })

  it('there is no netlink but that of the kernel', () => {
    const { machine } = configured()
    expect(() => machine.netlink.socket(NetlinkProtocolNr.XFRM)).toThrow('Protocol not supported')
    expect(() => sockCreate(machine.kernel, SockAf.UNIX, 1, 0, { pid: 0, capNetAdmin: true })).toThrow(Errno)
  })
})
