import { describe, expect, it } from 'vitest'
import { localBhDisable, localBhEnable, openSoftirq, raiseSoftirq, Softirq } from '@vnet/kernel'
import { devSetMtu } from '@vnet/netdev'
import { encodeRequest, SockMsgFlag, SockOption, SOL_SOCKET, Sys } from '../../src/index.ts'
import { makeRig } from '../rig.ts'
import { FakeProgram, sockaddrNl } from './fake-program.ts'

const AF_NETLINK = 16
const RAW = 3
const EAGAIN = -11
const EINTR = -4

/** A program that listens to links. */
function listener(type = RAW) {
  const rig = makeRig()
  const { kernel, dev } = rig
  const p = new FakeProgram(kernel)
  const before = kernel.census.take().length
  const fd = p.socket(AF_NETLINK, type, 0, 100)
  fd.call(Sys.bind, p.put(sockaddrNl(0, 1)), 12)
  const buffer = p.alloc(4096)
  let mtu = 1000
  const notify = (): void => kernel.rtnl.run(() => devSetMtu(dev, mtu++))
  const leaked = (): number => kernel.census.take().length - before
  return { rig, kernel, p, fd, buffer, notify, leaked, recv: [Sys.recvfrom, buffer, 4096, 0, 0, 0] as const }
}

describe('a call that waits', () => {
  it('goes on when something comes', () => {
    const { fd, notify, recv, kernel } = listener()
    expect(fd.call(...recv)).toBeUndefined()
    kernel.runFor(1e9)
    expect(fd.results).toEqual([])
    notify()
    kernel.runFor(0)
    expect(fd.results).toHaveLength(1)
    expect(fd.results[0]).toBeGreaterThan(100)
    expect(fd.wakes).toBe(0)
  })

  it('is over after SO_RCVTIMEO, to the microsecond', () => {
    const { fd, p, recv, kernel, leaked } = listener()
    const time = p.put(new Uint8Array(BigInt64Array.of(1n, 500_000n).buffer))
    expect(fd.call(Sys.setsockopt, SOL_SOCKET, SockOption.RCVTIMEO, time, 16)).toBe(0)
    expect(fd.call(...recv)).toBeUndefined()
    kernel.runFor(1_499_999_000)
    expect(fd.results).toEqual([])
    kernel.runFor(1000)
    expect(fd.results).toEqual([EAGAIN])
    expect(leaked()).toBe(0)
    const back = p.alloc(16)
    fd.call(Sys.getsockopt, SOL_SOCKET, SockOption.RCVTIMEO, back, p.put(Uint8Array.of(16, 0, 0, 0)))
    expect(p.get(back, 16)).toEqual(p.get(time, 16))
  })

  it('gets the message that comes before the time is over, and leaves no timer', () => {
    const { fd, p, recv, kernel, notify, leaked } = listener()
    const time = p.put(new Uint8Array(BigInt64Array.of(1n, 0n).buffer))
    fd.call(Sys.setsockopt, SOL_SOCKET, SockOption.RCVTIMEO, time, 16)
    fd.call(...recv)
    kernel.runFor(5e8)
    notify()
    kernel.runFor(0)
    expect(fd.results[0]).toBeGreaterThan(100)
    expect(leaked()).toBe(0)
  })

  it('refuses times that are none', () => {
    const { fd, p } = listener()
    const set = (sec: bigint, usec: bigint, length = 16): number | undefined =>
      fd.call(
        Sys.setsockopt,
        SOL_SOCKET,
        SockOption.SNDTIMEO,
        p.put(new Uint8Array(BigInt64Array.of(sec, usec).buffer)),
        length,
      )
    expect(set(0n, 1_000_000n)).toBe(-33)
    expect(set(0n, -1n)).toBe(-33)
    expect(set(0n, 0n, 8)).toBe(-22)
    expect(set(1n << 62n, 0n)).toBe(0)
    expect(set(-1n, 0n)).toBe(0)
  })

  it('does not wait with MSG_DONTWAIT, SOCK_NONBLOCK or after FIONBIO', () => {
    const { fd, p, recv, buffer } = listener()
    expect(fd.call(Sys.recvfrom, buffer, 4096, SockMsgFlag.DONTWAIT, 0, 0)).toBe(EAGAIN)
    expect(listener(RAW | 0x800).fd.call(...recv)).toBe(EAGAIN)
    expect(fd.call(Sys.ioctl, 0x5421, p.put(Uint8Array.of(1, 0, 0, 0)))).toBe(0)
    expect(fd.call(...recv)).toBe(EAGAIN)
    expect(fd.call(Sys.ioctl, 0x5421, p.put(Uint8Array.of(0, 0, 0, 0)))).toBe(0)
    expect(fd.call(...recv)).toBeUndefined()
    expect(fd.call(Sys.interrupt)).toBe(EINTR)
  })

  it('ends with EINTR when the program sends interrupt, which has no answer of its own', () => {
    const { fd, recv, buffer } = listener()
    fd.call(Sys.interrupt)
    expect(fd.results).toEqual([])
    fd.call(...recv)
    fd.call(Sys.interrupt)
    expect(fd.results).toEqual([EINTR])
    expect(fd.call(Sys.recvfrom, buffer, 4096, SockMsgFlag.DONTWAIT, 0, 0)).toBe(EAGAIN)
  })

  it('ends with EINTR when the program goes on with something else', () => {
    const { fd, recv, p } = listener()
    fd.call(...recv)
    fd.call(Sys.getsockname, p.alloc(12), p.put(Uint8Array.of(12, 0, 0, 0)))
    expect(fd.results).toEqual([EINTR, 0])
  })

  it('is not confused by an interrupt that crosses a question for memory', () => {
    const { fd, p, recv } = listener()
    const head = p.put(new Uint8Array(56))
    let crossed = false
    fd.onHead = (what) => {
      if (what !== 1 || crossed) return
      crossed = true
      fd.push(encodeRequest(Sys.interrupt))
    }
    fd.call(Sys.recvmsg, head, 0)
    expect(crossed).toBe(true)
    expect(fd.results).toEqual([EINTR])
    expect(fd.closed).toBe(false)
    expect(fd.call(...recv)).toBeUndefined()
  })

  it('leaves nothing behind when the program dies', () => {
    const { fd, p, recv, kernel, notify, leaked } = listener()
    const time = p.put(new Uint8Array(BigInt64Array.of(100n, 0n).buffer))
    fd.call(Sys.setsockopt, SOL_SOCKET, SockOption.RCVTIMEO, time, 16)
    fd.call(...recv)
    expect(leaked()).toBe(1)
    fd.die()
    expect(leaked()).toBe(0)
    expect(p.server.open).toBe(0)
    notify()
    kernel.runFor(1e12)
    expect(fd.results).toEqual([])
  })
})

describe('WAKE', () => {
  it('comes once when something arrives while the program does nothing', () => {
    const { fd, notify } = listener()
    expect(fd.wakes).toBe(0)
    notify()
    expect(fd.wakes).toBe(1)
    notify()
    expect(fd.wakes).toBe(1)
  })

  it('comes again behind each answer while there is more, and then not', () => {
    const { fd, notify, recv } = listener()
    notify()
    notify()
    fd.call(...recv)
    expect(fd.wakes).toBe(2)
    fd.call(...recv)
    expect(fd.wakes).toBe(2)
    notify()
    expect(fd.wakes).toBe(3)
  })

  it('comes behind the answer of pollArm when something is there already', () => {
    const { fd, notify } = listener()
    expect(fd.call(Sys.pollArm)).toBe(4)
    notify()
    expect(fd.wakes).toBe(1)
    expect(fd.call(Sys.pollArm)).toBe(5)
    expect(fd.wakes).toBe(2)
  })

  it('does not come for what a call itself made: the answer comes first', () => {
    const { fd, p, notify } = listener()
    const seen: number[] = []
    fd.onHead = (what) => seen.push(what)
    notify()
    fd.call(Sys.getsockname, p.alloc(12), p.put(Uint8Array.of(12, 0, 0, 0)))
    expect(seen).toEqual([0, 1, 2, 2, 3, 0])
  })
})

describe('where a call runs', () => {
  it('waits for process context when it arrives in a softirq', () => {
    const { kernel, fd, p } = listener()
    const name = p.alloc(12)
    const length = p.put(Uint8Array.of(12, 0, 0, 0))
    const contexts: string[] = []
    p.server.register(1000, () => {
      contexts.push(kernel.ctx)
      return 0
    })
    openSoftirq(kernel, Softirq.TASKLET, () => {
      fd.call(1000)
      contexts.push('softirq is over')
    })
    raiseSoftirq(kernel, Softirq.TASKLET)
    kernel.runFor(0)
    expect(contexts).toEqual(['softirq is over', 'process'])
    localBhDisable(kernel)
    fd.call(Sys.getsockname, name, length)
    localBhEnable(kernel)
    expect(fd.results).toEqual([])
    kernel.runFor(0)
    expect(fd.results).toEqual([0])
  })

  it('waits while somebody holds rtnl, and while another call sleeps', () => {
    const { kernel, fd, p } = listener()
    const other = p.open()
    kernel.rtnl.run(() => {
      other.call(1001)
      kernel.runFor(1e9)
      expect(other.results).toEqual([])
    })
    kernel.runFor(0)
    expect(other.results).toEqual([-38])
    const order: string[] = []
    p.server.register(1001, () => {
      order.push('second')
      return 0
    })
    p.server.register(1000, () => {
      other.call(1001)
      kernel.runFor(1e9)
      order.push('first')
      return 0
    })
    expect(fd.call(1000)).toBe(0)
    kernel.runFor(0)
    expect(order).toEqual(['first', 'second'])
    expect(other.results).toEqual([0])
  })
})
