import { createKernel, Errno } from '@vnet/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { devGetValidName, devValidName, netOf, registerNetdev, unregisterNetdev } from '../src/index.ts'
import { allocDev, makeDev } from './helpers.ts'

describe('names', () => {
  it('LIFE-09 knows a valid name', () => {
    const table: Record<string, boolean> = {
      eth0: true,
      a: true,
      abcdefghijklmno: true,
      abcdefghijklmnop: false,
      '': false,
      '.': false,
      '..': false,
      '...': true,
      'a/b': false,
      'a:b': false,
      'a b': false,
      'a\tb': false,
      'a\nb': false,
      'ethernet-é': true,
      ééééééé: true,
      éééééééé: false,
    }
    for (const [name, valid] of Object.entries(table))
      expect([name, devValidName(name)]).toEqual([name, valid])
  })

  it('LIFE-09 a pattern takes the lowest free number', () => {
    const kernel = createKernel()
    const devs = [0, 1, 2].map(() => allocDev(kernel, {}, { name: 'vnet%d' }))
    devs.forEach(registerNetdev)
    expect(devs.map((dev) => dev.name)).toEqual(['vnet0', 'vnet1', 'vnet2'])
    unregisterNetdev(devs[1]!)
    expect(makeDev({}, { kernel, name: 'vnet%d' }).dev.name).toBe('vnet1')
    expect(makeDev({}, { kernel, name: 'x%dy' }).dev.name).toBe('x0y')
  })

  it('LIFE-09 refuses bad patterns', () => {
    const net = netOf(createKernel())
    for (const name of ['%s', 'a%', 'a%d%d', '%d%', 'a%x', 'a%%d', '%dlongerthan15ch']) {
      expect(() => devGetValidName(net, name)).toThrow(Errno)
    }
  })

  it('LIFE-09 a pattern whose numbers no longer fit is full', () => {
    const { kernel } = makeDev({}, { name: 'abcdefghijklm%d' })
    for (let i = 1; i < 100; i++) makeDev({}, { kernel, name: 'abcdefghijklm%d', down: true })
    expect(() => registerNetdev(allocDev(kernel, {}, { name: 'abcdefghijklm%d' }))).toThrow(
      expect.objectContaining({ code: 'ENFILE' }),
    )
  })

  it('LIFE-09 LIFE-10 names and indexes stay valid, unique and lowest through any registering and unregistering', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 40 }), (picks) => {
        const kernel = createKernel()
        const live: ReturnType<typeof allocDev>[] = []
        const seen = new Set<number>()
        for (const pick of picks) {
          if (pick < 6 || live.length === 0) {
            const taken = new Set(live.map((dev) => dev.name))
            let lowest = 0
            while (taken.has(`n${lowest}`)) lowest++
            const { dev } = makeDev({}, { kernel, name: 'n%d', down: true })
            expect(dev.name).toBe(`n${lowest}`)
            expect(dev.ifindex).toBeGreaterThan(0)
            expect(seen.has(dev.ifindex)).toBe(false)
            seen.add(dev.ifindex)
            live.push(dev)
          } else unregisterNetdev(live.splice(pick % live.length, 1)[0]!)
        }
      }),
      { numRuns: 40 },
    )
  })
})
