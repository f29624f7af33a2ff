import { createKernel } from '@vnet/kernel'
import { netlinkServer, Sys, syscallServer } from '@vnet/netlink'
import { describe, expect, it } from 'vitest'
import {
  bind,
  close,
  getsockname,
  localTransport,
  newProcess,
  poll,
  ProcessMemory,
  recvfrom,
  runProgram,
  sendto,
  sockaddrNl,
  socket,
  syscall,
} from '../../src/index.ts'
import type { Process, Program, Transport } from '../../src/index.ts'
import { addDev } from '../elsewhere.ts'

const AF_NETLINK = 16
const SOCK_RAW = 3
const MSG_DONTWAIT = 0x40

function machine() {
  const kernel = createKernel()
  netlinkServer(kernel)
  addDev(kernel, 'vnet0')
  const server = syscallServer(kernel)
  server.register(Sys.nanosleep, (call) => {
    const until = call.started + Number(call.args[0]!)
    if (call.kernel.clock.ktimeGet() >= until) return 0
    return call.block(call.connection.whenTime(until))
  })
  return { kernel, server, transport: localTransport(server) }
}

/** Runs a program that is a function; `codes` gets its exit code. */
function start(transport: Transport, program: Program, process: Process = newProcess(['test'])) {
  const codes: number[] = []
  const running = runProgram(program, process, transport, (code) => codes.push(code))
  return { codes, process, interrupt: () => running.interrupt() }
}

/** What a call was refused with, as the exit code; 0 when it was not. */
function* errnoOf(steps: ReturnType<typeof syscall>) {
  try {
    yield* steps
    return 0
  } catch (error) {
    return -(error as { errno: number }).errno
  }
}

describe('runProgram', () => {
  it('has done everything that does not wait when it returns, and closes what is open', () => {
    const { server, transport } = machine()
    const { codes } = start(transport, function* (process) {
      const fd = yield* socket(process, AF_NETLINK, SOCK_RAW, 0)
      yield* bind(process, fd, sockaddrNl(0))
      const name = yield* getsockname(process, fd)
      return name.length
    })
    expect(codes).toEqual([12])
    expect(server.open).toBe(0)
  })

  it('makes a hundred thousand calls without a deep stack', () => {
    const { transport } = machine()
    const { codes } = start(transport, function* (process) {
      const fd = yield* socket(process, AF_NETLINK, SOCK_RAW, 0)
      for (let i = 0; i < 100_000; i++) yield* getsockname(process, fd)
      return 0
    })
    expect(codes).toEqual([0])
  })

  it('gives EBADF for what is not open, EFAULT for memory that is nobody’s, ENOSYS for a call nobody has', () => {
    const { transport } = machine()
    const found: number[] = []
    start(transport, function* (process) {
      const fd = yield* socket(process, AF_NETLINK, SOCK_RAW, 0)
      found.push(yield* errnoOf(syscall(77, Sys.getsockname, [0, 0])))
      found.push(yield* errnoOf(syscall(fd, Sys.bind, [0x10, 12])))
      found.push(yield* errnoOf(syscall(fd, Sys.bind, [0x7fffffffffffffffn, 12])))
      found.push(yield* errnoOf(syscall(null, 999, [])))
      yield* close(fd)
      found.push(yield* errnoOf(close(fd)))
      return 0
    })
    expect(found).toEqual([9, 14, 14, 38, 9])
  })

  it('ends with 1 and the refusal when a program does not catch it', () => {
    const { transport } = machine()
    let said = ''
    const process = newProcess(['tool'], { stderr: (text) => (said += text) })
    const { codes } = start(
      transport,
      function* () {
        return yield* close(99)
      },
      process,
    )
    expect([codes, said]).toEqual([[1], 'tool: Bad file descriptor\n'])
  })

  it('throws on what is no refusal, after closing everything', () => {
    const { server, transport } = machine()
    expect(() =>
      start(transport, function* (process) {
        yield* socket(process, AF_NETLINK, SOCK_RAW, 0)
        throw new TypeError('a bug')
      }),
    ).toThrow('a bug')
    expect(server.open).toBe(0)
  })

  it('waits, is woken by an interrupt with EINTR, and can go on with the same descriptor', () => {
    const { server, transport } = machine()
    const found: number[] = []
    const run = start(transport, function* (process) {
      const fd = yield* socket(process, AF_NETLINK, SOCK_RAW, 0)
      yield* bind(process, fd, sockaddrNl(0))
      found.push(yield* errnoOf(waitFor(process, fd)))
      found.push((yield* getsockname(process, fd)).length)
      return 0
    })
    expect(run.codes).toEqual([])
    run.interrupt()
    expect([run.codes, found, run.process.interrupted]).toEqual([[0], [4, 12], true])
    expect(server.open).toBe(0)
  })

  function* waitFor(process: Process, fd: number, timeoutNs?: number) {
    return (yield* recvfrom(process, fd, 100, 0, timeoutNs)).length
  }

  it('gives up after a time: EAGAIN for a call, 0 for a poll', () => {
    const { kernel, server, transport } = machine()
    const found: number[] = []
    const run = start(transport, function* (process) {
      const fd = yield* socket(process, AF_NETLINK, SOCK_RAW, 0)
      yield* bind(process, fd, sockaddrNl(0))
      found.push(yield* errnoOf(waitFor(process, fd, 1e9)))
      found.push(yield* poll(fd, 1e9))
      return 0
    })
    kernel.runFor(1.5e9)
    expect(found).toEqual([11])
    kernel.runFor(1e9)
    expect([run.codes, found]).toEqual([[0], [11, 0]])
    expect(server.open).toBe(0)
  })

  it('sees at once, and later, that a descriptor is readable', () => {
    const { kernel, transport } = machine()
    const found: number[] = []
    const run = start(transport, function* (process) {
      const fd = yield* socket(process, AF_NETLINK, SOCK_RAW, 0)
      yield* bind(process, fd, sockaddrNl(0))
      const noop = Uint8Array.from([20, 0, 0, 0, 18, 0, 5, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
      yield* sendto(process, fd, noop, 0, sockaddrNl(0))
      found.push(yield* poll(fd, 5e9))
      yield* recvfrom(process, fd, 4096, MSG_DONTWAIT)
      found.push(yield* poll(fd, 1e6))
      return 0
    })
    kernel.runFor(1e9)
    expect([run.codes, found]).toEqual([[0], [1, 0]])
  })

  it('ends a program whose machine goes away with EIO', () => {
    const { server, transport } = machine()
    const found: number[] = []
    const run = start(transport, function* (process) {
      const fd = yield* socket(process, AF_NETLINK, SOCK_RAW, 0)
      yield* bind(process, fd, sockaddrNl(0))
      found.push(yield* errnoOf(waitFor(process, fd)))
      return 3
    })
    server.closeAll()
    expect([run.codes, found]).toEqual([[3], [5]])
  })

  it.each([
    [[9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]],
    [[2, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]],
  ])('ends a connection that sends what is no answer: %j', (bytes) => {
    const liar: Transport = {
      open: (onBytes) => ({ send: () => onBytes(Uint8Array.from(bytes)), close: () => {} }),
    }
    const run = start(liar, function* (process) {
      return yield* errnoOf(socket(process, AF_NETLINK, SOCK_RAW, 0))
    })
    expect(run.codes).toEqual([5])
  })
})

describe('ProcessMemory', () => {
  it('gives zeros, keeps what was put, and forgets from the top', () => {
    const memory = new ProcessMemory()
    const first = memory.putText('hello')
    const { top } = memory
    const second = memory.alloc(8)
    expect([...memory.get(second, 8)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0])
    memory.copyToUser(second, Uint8Array.from([1, 2]))
    memory.free(top)
    expect(new TextDecoder().decode(memory.get(first, 5))).toBe('hello')
    expect(() => memory.get(second, 1)).toThrow('Bad address')
    expect(memory.alloc(8)).toBe(second)
    expect([...memory.get(second, 2)]).toEqual([0, 0])
  })

  it('grows, and refuses what is too much or out of bounds', () => {
    const memory = new ProcessMemory()
    const big = memory.alloc(1 << 20)
    memory.copyToUser(big + BigInt((1 << 20) - 1), Uint8Array.of(7))
    expect(memory.get(big + BigInt((1 << 20) - 1), 1)).toEqual(Uint8Array.of(7))
    expect(() => memory.alloc(1 << 30)).toThrow('Cannot allocate memory')
    for (const [address, length] of [
      [0n, 1],
      [big, (1 << 20) + 1],
      [-1n, 1],
      [big - 1n, 1],
    ] as const) {
      expect(() => memory.copyFromUser(address, length)).toThrow('Bad address')
    }
  })
})
