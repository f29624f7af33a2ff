import { Errno } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { decodeRequest, encodeRequest, Sioc, sockRegister, SYS_MAX_CALL, Sys } from '../../src/index.ts'
import type { Sock, SyscallCall } from '../../src/index.ts'
import { makeRig } from '../rig.ts'
import { BASE, FakeProgram, putMsghdr } from './fake-program.ts'

const EFAULT = -14

function setup(size?: number) {
  const rig = makeRig()
  const p = new FakeProgram(rig.kernel, size)
  return { rig, p, fd: p.open() }
}

describe('requests', () => {
  it('come out as they went in', () => {
    expect(decodeRequest(encodeRequest(10, [-1, 2n, 0xffff_ffff_ffff_fff0n]))).toEqual({
      op: 10,
      args: [(1n << 64n) - 1n, 2n, 0xffff_ffff_ffff_fff0n, 0n, 0n, 0n],
    })
  })

  it('of an operation nobody knows are ENOSYS', () => {
    const { fd } = setup()
    expect(fd.call(999)).toBe(-38)
    expect(fd.call(((1n << 64n) - 1n) as unknown as number)).toBe(-38)
  })

  it('on a descriptor that is nothing yet are EBADF, and on one that is a file ENOTSOCK', () => {
    const { fd } = setup()
    for (const op of [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14])
      expect(fd.call(op, 0, 0, 0, 0, 0), `op ${op}`).toBe(-9)
    fd.connection.file = {}
    expect(fd.call(Sys.bind, 0, 0)).toBe(-88)
    expect(fd.call(Sys.ioctl, Sioc.GIFMTU, 0)).toBe(-25)
    expect(fd.call(Sys.socket, 16, 3, 0, 0, 0)).toBe(-22)
    expect(fd.call(Sys.read, 0, 0)).toBe(-38)
  })

  it('make sockets only of known families, and once', () => {
    const { p, fd } = setup()
    expect(fd.call(Sys.socket, 17, 3, 0, 0, 0)).toBe(-97)
    expect(fd.call(Sys.socket, -1, 3, 0, 0, 0)).toBe(-97)
    expect(fd.call(Sys.socket, 2, 1, 0, 0, 0)).toBe(-97)
    expect(fd.call(Sys.socket, 16, 3 | 0x1000, 0, 0, 0)).toBe(-22)
    expect(fd.call(Sys.socket, 16, 3, -1, 0, 0)).toBe(-22)
    expect(fd.call(Sys.socket, 2, 2, 0, 0, 0)).toBe(0)
    expect(fd.call(Sys.socket, 2, 2, 0, 0, 0)).toBe(-22)
    expect(fd.call(Sys.sendto, p.alloc(4), 4, 0, 0, 0)).toBe(-95)
    expect(fd.call(Sys.recvfrom, p.alloc(4), 4, 0x40, 0, 0)).toBe(-11)
  })

  it('that are malformed close their connection and no other', () => {
    const { p, fd } = setup()
    const other = p.open()
    fd.call(Sys.socket, 2, 2, 0, 0, 0)
    fd.onHead = () => {
      fd.onHead = null
      fd.push(Uint8Array.of(7, 0, 0, 0, 0, 0, 0, 0))
    }
    fd.call(Sys.bind, BASE, 12)
    expect(fd.closed).toBe(true)
    expect(p.server.open).toBe(1)
    expect(other.call(999)).toBe(-38)
  })
})

describe('copies', () => {
  it('give EFAULT for memory the program does not have, in and out', () => {
    const { p, fd } = setup()
    fd.call(Sys.socket, 16, 3, 0, 0, 0)
    expect(fd.call(Sys.bind, 0, 12)).toBe(EFAULT)
    expect(fd.call(Sys.bind, (1n << 64n) - 1n, 12)).toBe(EFAULT)
    expect(fd.call(Sys.getsockname, 0, p.put(Uint8Array.of(12, 0, 0, 0)))).toBe(EFAULT)
    expect(fd.call(Sys.getsockname, p.alloc(12), 0)).toBe(EFAULT)
  })

  it('run the handler again until all is there, ask once for each piece, and write at the end', () => {
    const { p, fd } = setup()
    let runs = 0
    p.server.register(1000, (call) => {
      runs++
      const [a, b] = call.args as readonly [bigint, bigint]
      const first = call.memory.copyFromUser(a, 4)
      call.memory.copyToUser(a, Uint8Array.of(9, 9))
      const second = call.memory.copyFromUser(b, 4)
      const again = call.memory.copyFromUser(a, 4)
      const part = call.memory.copyFromUser(b + 1n, 2)
      return first[0]! + second[3]! * 10 + again[1]! * 100 + part[1]! * 1000
    })
    const a = p.put(Uint8Array.of(1, 2, 3, 4))
    const b = p.put(Uint8Array.of(5, 6, 7, 8))
    expect(fd.call(1000, a, b)).toBe(1 + 80 + 900 + 7000)
    expect(runs).toBe(3)
    expect(fd.copiesIn).toBe(2)
    expect(p.get(a, 4)).toEqual(Uint8Array.of(9, 9, 3, 4))
  })

  it('reach the program also when the call is refused afterwards', () => {
    const { p, fd } = setup()
    p.server.register(1000, (call) => {
      call.memory.copyToUser(call.args[0]!, Uint8Array.of(7))
      throw new Errno('EINVAL')
    })
    const at = p.alloc(1)
    expect(fd.call(1000, at)).toBe(-22)
    expect(p.get(at, 1)).toEqual(Uint8Array.of(7))
  })

  it('go in pieces of a megabyte, four megabytes a call and no more', () => {
    const { p, fd } = setup(9 << 20)
    const copy = (length: number) => (call: SyscallCall) => {
      const bytes = call.memory.copyFromUser(BASE, length)
      call.memory.copyToUser(BASE + BigInt(length), bytes)
      return 0
    }
    p.server.register(1000, copy(SYS_MAX_CALL))
    p.server.register(1001, copy(SYS_MAX_CALL + 1))
    p.server.register(
      1002,
      (call) =>
        call.memory.copyFromUser(BASE, SYS_MAX_CALL)[0]! +
        call.memory.copyFromUser(BASE + BigInt(SYS_MAX_CALL), 1)[0]!,
    )
    p.server.register(1003, (call) => {
      for (let i = 0; i < 5; i++) call.memory.copyToUser(BASE, new Uint8Array(1 << 20))
      return 0
    })
    for (let i = 0; i < SYS_MAX_CALL; i += 4096) p.memory[i] = i >> 12
    expect(fd.call(1000)).toBe(0)
    expect(fd.copiesIn).toBe(4)
    expect(p.memory[SYS_MAX_CALL + 4096 * 1023]).toBe(1023 & 255)
    const wrong = p.memory
      .subarray(0, SYS_MAX_CALL)
      .findIndex((byte, i) => byte !== p.memory[SYS_MAX_CALL + i])
    expect(wrong).toBe(-1)
    expect(fd.call(1001)).toBe(-12)
    expect(fd.call(1002)).toBe(-12)
    expect(fd.call(1003)).toBe(-12)
    expect(fd.copiesIn).toBe(8)
  })

  it('are not fooled by a handler that swallows the stop', () => {
    const { p, fd } = setup()
    p.server.register(1000, (call) => {
      try {
        return call.memory.copyFromUser(call.args[0]!, 1)[0]!
      } catch {
        return -1
      }
    })
    expect(fd.call(1000, p.put(Uint8Array.of(42)))).toBe(42)
  })
})

describe('message headers', () => {
  it('have at most 1024 pieces, of sizes that are none too large', () => {
    const { p, fd } = setup()
    fd.call(Sys.socket, 16, 3, 0, 0, 0)
    const at = p.put(new Uint8Array(4))
    const send = (what: Parameters<typeof putMsghdr>[1]): number | undefined =>
      fd.call(Sys.sendmsg, putMsghdr(p, what), 0)
    expect(send({ iov: [[at, 4]], count: 1025n })).toBe(-90)
    expect(send({ iov: [[at, -1]] })).toBe(-22)
    expect(send({ iov: [[at, 1n << 40n]] })).toBe(-90)
    expect(
      send({
        iov: [
          [at, 3 << 20],
          [at, 3 << 20],
        ],
      }),
    ).toBe(-90)
    expect(send({ iov: [[at, 4]], name: at, nameLength: -1 })).toBe(-22)
    expect(send({ iov: [[at, 4]], controlLength: 30000 })).toBe(-105)
    expect(send({ iov: Array.from({ length: 1024 }, () => [at, 1] as const) })).toBe(1024)
  })
})

describe('a handler that breaks', () => {
  it('ends its call with EIO, is logged, and the connection goes on', () => {
    const { rig, p, fd } = setup()
    p.server.register(1000, () => {
      throw new TypeError('broken')
    })
    expect(() => fd.call(1000)).toThrow('broken')
    expect(fd.results).toEqual([-5])
    expect(rig.kernel.log.records.at(-1)?.text).toBe('syscall: 1000: TypeError: broken')
    expect(fd.call(999)).toBe(-38)
  })
})

describe('families', () => {
  it('are asked for ioctls before the devices are, also without a socket', () => {
    const { rig, p, fd } = setup()
    let open = 0
    const unregister = sockRegister(rig.kernel, 2, {
      create: (type, protocol) => {
        open++
        return {
          family: 2,
          type,
          protocol,
          bind: () => {},
          connect: () => {},
          getsockname: () => new Uint8Array(16),
          setsockopt: () => {},
          getsockopt: () => new Uint8Array(0),
          sendmsg: ({ bytes }) => bytes.length,
          recvmsg: () => null,
          ioctl: (caller, request, argument) => {
            if (request !== Sioc.GIFADDR) return false
            caller.memory.copyToUser(argument, Uint8Array.of(1, 2, 3))
            return true
          },
          mmap: (length) => `/dev/shm/ring-${length}`,
          readable: false,
          onReadable: null,
          close: () => open--,
        } satisfies Sock
      },
    })
    expect(() => sockRegister(rig.kernel, 2, { create: () => never() })).toThrow('File exists')
    const ifr = p.put(new TextEncoder().encode('vnet0'.padEnd(40, '\0')))
    expect(fd.call(Sys.ioctl, Sioc.GIFADDR, ifr)).toBe(0)
    expect(p.get(ifr, 3)).toEqual(Uint8Array.of(1, 2, 3))
    expect(open).toBe(0)
    const sock = p.socket(2, 2)
    p.memory.set(new TextEncoder().encode('vnet0'), Number(ifr - BASE))
    expect(sock.call(Sys.ioctl, Sioc.GIFMTU, ifr)).toBe(0)
    expect(p.u32(ifr + 16n)).toBe(1500)
    const path = p.alloc(32)
    expect(sock.call(Sys.mmap, 8192, path, 32)).toBe(0)
    expect(new TextDecoder().decode(p.get(path, 19))).toBe('/dev/shm/ring-8192\0')
    expect(sock.call(Sys.mmap, 8192, path, 18)).toBe(-36)
    expect(sock.call(Sys.mmap, 0, path, 18)).toBe(-22)
    sock.die()
    expect(open).toBe(0)
    unregister()
    expect(fd.call(Sys.ioctl, Sioc.GIFADDR, ifr)).toBe(-99)
  })
})

function never(): never {
  throw new Error('not reached')
}
