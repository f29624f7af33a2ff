import { createKernel } from '@vnet/kernel'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { accounts } from '../src/accounts.ts'
import { FaultInjector, faultInjector } from '../src/fault-injector.ts'
import { parseFaults } from '../src/fault-options.ts'
import type { FaultOptions } from '../src/fault-options.ts'
import { leftBehind, numbered, numberOf, problems, StubBackend, TestPort } from './helpers.ts'

const around = (options: FaultOptions, kernelSeed = 1) => {
  const kernel = createKernel({ seed: kernelSeed })
  const stub = new StubBackend(kernel)
  const faults = faultInjector(kernel, { seed: 7, ...options })(stub)
  const port = new TestPort(kernel).plug(faults)
  return { kernel, stub, faults, port }
}

/** Sends and brings n frames, one each microsecond, and lets all of it pass. */
const traffic = (options: FaultOptions, n: number, kernelSeed = 1) => {
  const world = around(options, kernelSeed)
  for (let i = 0; i < n; i++) {
    world.port.send(world.faults, numbered(i, 60 + (i % 5) * 300))
    world.stub.bring(numbered(i, 60 + (i % 7) * 200))
    world.kernel.runFor(1000)
  }
  world.kernel.runFor(1e10)
  return world
}

describe('faultInjector', () => {
  it('drops about as many as asked for, and counts them', () => {
    const { faults, stub, port } = traffic({ drop: 0.1 }, 5000)
    expect(faults.tx!.dropped).toBeGreaterThan(400)
    expect(faults.tx!.dropped).toBeLessThan(600)
    expect(stub.sent.length).toBe(5000 - faults.tx!.dropped)
    expect(port.frames.length).toBe(5000 - faults.rx!.dropped)
    expect(faults.tx!.dropped).not.toBe(faults.rx!.dropped)
    expect(faults.counters.dropped).toBe(faults.tx!.dropped + faults.rx!.dropped)
    expect(problems(faults)).toEqual([])
  })

  it('drops all at 1, none at 0', () => {
    expect(traffic({ drop: 1 }, 100).port.frames.length).toBe(0)
    expect(traffic({ drop: 0 }, 100).port.frames.length).toBe(100)
  })

  it('corrupts exactly one bit, in a copy', () => {
    const { stub, faults, port } = around({ corrupt: 1 })
    const frame = numbered(3, 700)
    const before = frame.slice()
    stub.bring(frame)
    expect(frame).toEqual(before)
    faults.transmit(frame, 0, frame.length)
    expect(frame).toEqual(before)
    for (const got of [port.frames[0]!, stub.sent[0]!]) {
      const bits = got.reduce(
        (n, byte, i) => n + (byte ^ frame[i]!).toString(2).replaceAll('0', '').length,
        0,
      )
      expect(bits).toBe(1)
    }
    expect([faults.tx!.corrupted, faults.rx!.corrupted]).toEqual([1, 1])
  })

  it('leaves an empty frame whole: there is no bit to flip', () => {
    const { stub, port, faults } = around({ corrupt: 1 })
    stub.bring(new Uint8Array(0))
    expect(port.frames).toEqual([new Uint8Array(0)])
    expect(faults.rx!.corrupted).toBe(0)
  })

  it('duplicates right behind the original, and counts the copy as made', () => {
    const { stub, port, faults } = around({ duplicate: 1 })
    stub.bring(numbered(1))
    stub.bring(numbered(2))
    expect(port.frames.map(numberOf)).toEqual([1, 1, 2, 2])
    expect(faults.counters).toMatchObject({ upFrames: 2, made: 2, rxFrames: 4 })
    expect(problems(faults)).toEqual([])
  })

  it('reorders: a frame kept back follows the next one', () => {
    const { stub, port, faults, kernel } = around({ reorder: 1, direction: 'rx' })
    for (const i of [1, 2, 3, 4]) stub.bring(numbered(i))
    expect(port.frames.map(numberOf)).toEqual([2, 1, 4, 3])
    expect(faults.rx!.reordered).toBe(2)
    stub.bring(numbered(5))
    expect(faults.counters.held).toBe(1)
    expect(problems(faults)).toEqual([])
    kernel.runFor(999_999)
    expect(port.frames.length).toBe(4)
    kernel.runFor(1)
    expect(port.frames.map(numberOf)).toEqual([2, 1, 4, 3, 5])
    expect(leftBehind(kernel).filter((left) => left.startsWith('hwevent'))).toEqual([])
  })

  it('delays by exactly so much, in order', () => {
    const { stub, port, kernel, faults } = around({ delayNs: 5e6 })
    stub.bring(numbered(1))
    kernel.runFor(1e6)
    stub.bring(numbered(2))
    kernel.runFor(1e7)
    expect(port.times).toEqual([5e6, 6e6])
    expect(faults.rx!.delayed).toBe(2)
  })

  it('jitters around the delay, within its bounds', () => {
    const { port } = traffic({ delayNs: 1e6, jitterNs: 4e5 }, 500)
    const late = port.frames.map((frame, i) => port.times[i]! - numberOf(frame) * 1000)
    expect(Math.min(...late)).toBeGreaterThanOrEqual(6e5)
    expect(Math.max(...late)).toBeLessThanOrEqual(14e5)
    expect(Math.max(...late) - Math.min(...late)).toBeGreaterThan(4e5)
    expect(port.frames.map(numberOf)).not.toEqual([...Array(500).keys()])
  })

  it('spaces frames by a rate in bits or in frames', () => {
    const bits = around({ rate: { bitsPerSecond: 1e6 } })
    for (let i = 0; i < 3; i++) bits.stub.bring(numbered(i, 125))
    bits.kernel.runFor(1e9)
    expect(bits.port.times).toEqual([1e6, 2e6, 3e6])
    const frames = around({ rate: { framesPerSecond: 1000 } })
    for (let i = 0; i < 3; i++) frames.stub.bring(numbered(i, 500 * i))
    frames.kernel.runFor(1e9)
    expect(frames.port.times).toEqual([1e6, 2e6, 3e6])
  })

  it('drops and counts what its store has no room for', () => {
    const { stub, port, faults, kernel } = around({ delayNs: 1e6, store: { frames: 4 } })
    for (let i = 0; i < 10; i++) stub.bring(numbered(i))
    kernel.runFor(1e7)
    expect(port.frames.length).toBe(4)
    expect(faults.rx!.overflowed).toBe(6)
    expect(faults.counters.dropped).toBe(6)
    expect(problems(faults)).toEqual([])
  })

  it('acts in one direction only when asked to', () => {
    const rx = traffic({ drop: 1, direction: 'rx' }, 10)
    expect([rx.stub.sent.length, rx.port.frames.length]).toEqual([10, 0])
    expect(rx.faults.tx).toBe(null)
    const tx = traffic({ drop: 1, direction: 'tx' }, 10)
    expect([tx.stub.sent.length, tx.port.frames.length]).toEqual([0, 10])
    expect(tx.faults.rx).toBe(null)
  })

  it('counts what the card missed, at once or later', () => {
    for (const options of [{}, { delayNs: 1000 }]) {
      const { stub, port, faults, kernel } = around(options)
      port.takes = () => false
      stub.bring(numbered(1))
      kernel.runFor(1e6)
      expect(faults.counters.rxMissed).toBe(1)
      expect(accounts(faults).missed).toBe(1)
      expect(problems(faults)).toEqual([])
    }
  })

  it('draws its seed from the kernel when none is given', () => {
    const kernel = createKernel({ seed: 5 })
    const first = faultInjector(kernel, {})(new StubBackend(kernel))
    expect(first).toBeInstanceOf(FaultInjector)
    const again = createKernel({ seed: 5 })
    expect(faultInjector(again, {})(new StubBackend(again)).seed).toBe(first.seed)
  })

  const ALL: FaultOptions = {
    drop: 0.1,
    corrupt: 0.1,
    duplicate: 0.1,
    reorder: 0.1,
    delayNs: 1e5,
    jitterNs: 5e4,
    rate: { bitsPerSecond: 1e10 },
  }

  it('gives the same result byte for byte for the same seed, whatever the kernel', () => {
    const [one, two] = [traffic(ALL, 400, 1), traffic(ALL, 400, 99)]
    expect(two.port.frames).toEqual(one.port.frames)
    expect(two.port.times).toEqual(one.port.times)
    expect(two.stub.sent).toEqual(one.stub.sent)
    expect(two.faults.counters).toEqual(one.faults.counters)
    expect([two.faults.tx, two.faults.rx]).toEqual([one.faults.tx, one.faults.rx])
    const other = traffic({ ...ALL, seed: 8 }, 400)
    expect(other.port.frames).not.toEqual(one.port.frames)
    const c = one.faults.rx!
    for (const effect of ['dropped', 'corrupted', 'duplicated', 'reordered', 'delayed'] as const) {
      expect(c[effect]).toBeGreaterThan(0)
    }
  })

  it('keeps the one frame the lower one refused, and refuses the next at once', () => {
    const { stub, port, faults, kernel } = around({})
    stub.full = true
    expect(port.send(faults, numbered(1))).toBe(true)
    expect(port.send(faults, numbered(2))).toBe(false)
    expect(faults.counters.held).toBe(1)
    kernel.hardware(() => faults.writable())
    kernel.runFor(1)
    // Still full: a second refusal, and no false hope for the card.
    expect([port.writables, faults.counters.held]).toEqual([0, 1])
    stub.drain()
    kernel.runFor(1)
    expect(port.writables).toBe(1)
    expect(stub.sent.map(numberOf)).toEqual([1])
    expect(faults.tx!.frames).toBe(1)
  })

  it('judges a frame once, however often the lower one refuses', () => {
    const options = { drop: 0.3, duplicate: 0.3, corrupt: 0.3, direction: 'tx' } as const
    const free = around(options)
    for (let i = 0; i < 60; i++) free.port.send(free.faults, numbered(i))
    free.kernel.runFor(1e9)
    const tight = around(options)
    let next = 0
    const pump = (): void => {
      while (next < 60 && tight.port.send(tight.faults, numbered(next))) next++
    }
    tight.port.onWritable = pump
    tight.stub.full = true
    pump()
    for (let i = 0; i < 200; i++) {
      tight.stub.drain()
      tight.stub.full = i % 3 === 0
      tight.kernel.runFor(1000)
    }
    expect(next).toBe(60)
    expect(tight.stub.sent).toEqual(free.stub.sent)
    expect(tight.faults.tx).toEqual(free.faults.tx)
  })

  it('STAT-13 in + made = out + dropped + held for any faults at any time (property)', () => {
    const p = fc.constantFrom(0, 0, 0.2, 0.9, 1)
    const options = fc.record({
      drop: fc.constantFrom(0, 0, 0.2, 0.9),
      corrupt: p,
      duplicate: p,
      reorder: p,
      delayNs: fc.constantFrom(0, 0, 3000),
      jitterNs: fc.constantFrom(0, 2000),
      direction: fc.constantFrom('tx' as const, 'rx' as const, 'both' as const),
      seed: fc.integer({ min: 0, max: 1000 }),
      store: fc.constantFrom({}, { frames: 4 }, { bytes: 2000 }),
    })
    const action = fc.oneof(
      fc.record({
        do: fc.constantFrom('send' as const, 'bring' as const),
        length: fc.integer({ min: 0, max: 3000 }),
      }),
      fc.record({ do: fc.constant('run' as const), length: fc.integer({ min: 0, max: 5000 }) }),
      fc.record({
        do: fc.constantFrom('full' as const, 'drain' as const, 'replug' as const),
        length: fc.constant(0),
      }),
    )
    fc.assert(
      fc.property(options, fc.array(action, { maxLength: 80, size: 'max' }), (faultOptions, actions) => {
        const { kernel, stub, faults, port } = around(faultOptions)
        port.takes = (frame) => frame.length !== 13
        let brought = 0
        for (const action of actions) {
          if (action.do === 'send') port.send(faults, numbered(1, action.length))
          if (action.do === 'bring') {
            brought++
            stub.bring(numbered(2, action.length))
          }
          if (action.do === 'run') kernel.runFor(action.length)
          if (action.do === 'full') stub.full = true
          if (action.do === 'drain') stub.drain()
          if (action.do === 'replug') {
            faults.attach(null)
            expect(leftBehind(kernel)).toEqual([])
            port.plug(faults)
          }
          expect(problems(faults)).toEqual([])
        }
        stub.drain()
        kernel.runFor(1e9)
        expect(faults.counters.held).toBe(0)
        expect(port.reentered).toBe(false)
        const { total } = accounts(faults)
        expect(total.in).toBe(faults.counters.txFrames + brought)
        expect(total.out).toBe(stub.sent.length + faults.counters.rxFrames)
        faults.attach(null)
        expect(leftBehind(kernel)).toEqual([])
      }),
      { numRuns: 100 },
    )
  })

  it('refuses options that make no sense', () => {
    const kernel = createKernel()
    const bad: [FaultOptions, string][] = [
      [{ drop: 1.1 }, 'drop'],
      [{ corrupt: -0.1 }, 'corrupt'],
      [{ reorder: NaN }, 'reorder'],
      [{ delayNs: -1 }, 'delayNs'],
      [{ jitterNs: Infinity }, 'jitterNs'],
      [{ seed: 1.5 }, 'seed'],
      [{ seed: 2 ** 32 }, 'seed'],
      [{ direction: 'up' as never }, 'direction'],
      [{ rate: { bitsPerSecond: 0 } }, 'rate'],
    ]
    for (const [options, badAttr] of bad) {
      expect(() => faultInjector(kernel, options)).toThrow(
        expect.objectContaining({ code: 'EINVAL', badAttr }),
      )
    }
  })
})

describe('parseFaults', () => {
  it('reads what a person types', () => {
    expect(parseFaults('drop=10%,corrupt=0.1%,delay=5ms,seed=7')).toEqual({
      drop: 0.1,
      corrupt: 0.001,
      delayNs: 5e6,
      seed: 7,
    })
    expect(parseFaults(' duplicate = 0.5 , reorder=5% , jitter=20us , rate=10mbit , direction=rx ')).toEqual({
      duplicate: 0.5,
      reorder: 0.05,
      jitterNs: 20_000,
      rate: { bitsPerSecond: 1e7 },
      direction: 'rx',
    })
    expect(parseFaults('rate=100fps')).toEqual({ rate: { framesPerSecond: 100 } })
    expect(parseFaults('')).toEqual({})
  })

  it('says what is wrong, and what is right', () => {
    const message = (text: string): string => {
      try {
        return `accepted ${JSON.stringify(parseFaults(text))}`
      } catch (error) {
        return (error as Error).message
      }
    }
    expect(message('drops=10%')).toBe(
      'faults: unknown fault "drops"; known are drop, corrupt, duplicate, reorder, delay, jitter, rate, seed, direction',
    )
    expect(message('drop')).toBe('faults: drop needs a value, like drop=10%')
    expect(message('drop=ten')).toBe('faults: drop=ten is not understood, write drop=10%')
    expect(message('drop=110%')).toBe('faults: drop=110% is not understood, write drop=10%')
    expect(message('delay=5')).toBe('faults: delay=5 is not understood, write delay=5ms')
    expect(message('delay=-5ms')).toBe('faults: delay=-5ms is not understood, write delay=5ms')
    expect(message('seed=x')).toBe('faults: seed=x is not understood, write seed=7')
    expect(message('direction=up')).toBe(
      'faults: direction=up is not understood, write direction=rx (or tx, both)',
    )
    expect(message('rate=0mbit')).toBe('faults: rate=0mbit is not understood, write rate=10mbit (or 100fps)')
    expect(message('drop=1%,drop=2%')).toBe('faults: drop is given twice')
    expect(message('drop=1%,,seed=1')).toContain('unknown fault ""')
  })

  it('either understands any text or refuses it with EINVAL (fuzz)', () => {
    const word = fc.constantFrom(
      'drop',
      'delay',
      'rate',
      'seed',
      '=',
      ',',
      '5',
      'ms',
      '%',
      ' ',
      '1e9',
      '.',
      'mbit',
      '-',
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(word).map((words) => words.join('')),
        ),
        (text) => {
          try {
            faultInjector(createKernel(), parseFaults(text))
          } catch (error) {
            expect(error).toMatchObject({ code: 'EINVAL' })
          }
        },
      ),
    )
  })
})
