import { devSetMtu } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import { NlmF, NlWriter, Rtm, Sioc, SockOption, SOL_SOCKET, Sys } from '../../src/index.ts'
import { card } from '../card.ts'
import { ifinfo, makeRig } from '../rig.ts'
import { FakeProgram, putMsghdr, sockaddrNl } from './fake-program.ts'
import type { FakeFd } from './fake-program.ts'

/** Calls of each kind, as one after the other on a descriptor. */
function story(p: FakeProgram, fd: FakeFd, index: number): void {
  const buffer = p.alloc(4096)
  const length = p.put(Uint8Array.of(12, 0, 0, 0))
  const w = new NlWriter()
  const at = w.begin(Rtm.GETLINK, NlmF.REQUEST | NlmF.DUMP, 1, 0)
  ifinfo(w, { index: 0 })
  w.end(at)
  const request = p.put(w.bytes())
  const ifr = p.put(new TextEncoder().encode('vnet0'.padEnd(40, '\0')))
  const info = p.put(Uint8Array.of(3, 0, 0, 0))
  p.view.setBigUint64(p.offset(ifr + 16n, 8)!, info, true)
  const time = p.put(new Uint8Array(BigInt64Array.of(5n, 0n).buffer))
  const calls: (readonly (number | bigint)[])[] = [
    [Sys.socket, 16, 3, 0, 77 + index, 0],
    [Sys.bind, p.put(sockaddrNl(0, 1)), 12],
    [Sys.getsockname, buffer, length],
    [Sys.setsockopt, SOL_SOCKET, SockOption.RCVTIMEO, time, 16],
    [Sys.getsockopt, SOL_SOCKET, SockOption.RCVBUF, buffer, length],
    [
      Sys.sendmsg,
      putMsghdr(p, {
        iov: [
          [request, 16],
          [request + 16n, w.bytes().length - 16],
        ],
      }),
      0,
    ],
    [Sys.recvmsg, putMsghdr(p, { name: buffer, nameLength: 12, iov: [[buffer, 4096]] }), 0],
    [Sys.ioctl, Sioc.ETHTOOL, ifr],
    [Sys.ioctl, Sioc.GIFINDEX, ifr],
    [Sys.recvfrom, buffer, 4096, 0, 0, 0],
    [Sys.recvfrom, buffer, 4096, 0, 0, 0],
  ]
  for (const [op, ...args] of calls) {
    if (fd.connection.ended) return
    fd.call(Number(op), ...args)
  }
}

describe('a program that dies', () => {
  it('in the middle of any call leaves nothing behind', () => {
    const rig = makeRig(card())
    const p = new FakeProgram(rig.kernel, 1 << 22)
    const { kernel } = rig
    story(p, p.open(), 0)
    p.server.closeAll()
    const before = kernel.census.take()
    const points = { heads: 0, bytes: 0 }
    const probe = p.open()
    probe.onHead = () => points.heads++
    story(p, probe, 1)
    probe.die()
    for (let point = 0; point <= points.heads; point++) {
      for (const early of [true, false]) {
        const fd = p.open()
        let left = point
        fd.onHead = () => {
          if (left-- !== 0) return
          // Early: inside of what the server says; late: as soon as this is over.
          if (early) fd.die()
          else fd.onHead = () => fd.die()
        }
        story(p, fd, 2 + point)
        fd.die()
        expect(p.server.open).toBe(0)
        expect(rig.server.open).toBe(0)
        expect(kernel.census.take()).toEqual(before)
        expect(kernel.rtnl.held).toBe(false)
      }
    }
    expect(points.heads).toBeGreaterThan(30)
    expect(kernel.violations).toEqual([])
  })

  it('after any byte of its requests leaves nothing behind', () => {
    const rig = makeRig(card())
    const p = new FakeProgram(rig.kernel, 1 << 22)
    const before = rig.kernel.census.take()
    for (let bytes = 1; bytes < 900; bytes += 7) {
      const fd = p.open()
      let left = bytes
      const push = fd.push.bind(fd)
      fd.push = (what) => {
        push(what.subarray(0, left))
        left = Math.max(0, left - what.length)
        if (left === 0) fd.die()
      }
      story(p, fd, bytes)
      fd.die()
      expect(p.server.open + rig.server.open).toBe(0)
    }
    expect(rig.kernel.census.take()).toEqual(before)
  })
})

describe('a thousand connections', () => {
  it('are served side by side, all told of a change, and forgotten together', () => {
    const rig = makeRig()
    const { kernel, dev } = rig
    const p = new FakeProgram(kernel, 1 << 23)
    const before = kernel.census.take()
    const buffer = p.alloc(4096)
    const fds = Array.from({ length: 1000 }, (_, i) => {
      const fd = p.socket(16, 3, 0, i + 1)
      expect(fd.call(Sys.bind, p.put(sockaddrNl(0, 1)), 12)).toBe(0)
      return fd
    })
    expect(p.server.open).toBe(1000)
    for (const fd of fds.slice(500)) fd.call(Sys.recvfrom, buffer, 4096, 0, 0, 0)
    kernel.rtnl.run(() => devSetMtu(dev, 1234))
    kernel.runFor(0)
    expect(fds.slice(0, 500).every((fd) => fd.wakes === 1)).toBe(true)
    expect(fds.slice(500).every((fd) => fd.results.length === 1 && fd.results[0]! > 100)).toBe(true)
    p.server.closeAll()
    expect(fds.every((fd) => fd.closed)).toBe(true)
    expect([p.server.open, rig.server.open]).toEqual([0, 0])
    expect(kernel.census.take()).toEqual(before)
  })
})
