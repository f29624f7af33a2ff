import { execFileSync } from 'node:child_process'
import { afterEach, describe, expect, it } from 'vitest'
import { O, SOCK } from '../src/consts.ts'
import { ifFlags, ifIndex, ifMtu, setIfMtu, setIfUp } from '../src/ifreq.ts'
import { libc } from '../src/libc.ts'
import { LinkMonitor } from '../src/link-monitor.ts'
import type { LinkEvent } from '../src/link-monitor.ts'
import { HostMemory, Mapping, MemoryAddress } from '../src/memory.ts'
import { Netns } from '../src/netns.ts'
import { closeFd, sys } from '../src/sys.ts'
import { watchFd, watchMethod } from '../src/watch.ts'
import type { WatchMethod } from '../src/watch.ts'
import { until } from './host.ts'
import { noLinux, noNamespace } from './skip.ts'

describe.skipIf(noLinux())('system calls', () => {
  it('say what is wrong under the names of the model', () => {
    expect(() => sys('open', ['/nonexistent', O.RDONLY, 0])).toThrow(
      expect.objectContaining({ code: 'ENOENT' }),
    )
    expect(() => sys('open', ['/nonexistent', O.RDONLY, 0], () => 'look elsewhere')).toThrow('look elsewhere')
    expect(() => sys('read', [-1, 0, 0])).toThrow(expect.objectContaining({ code: 'EBADF' }))
  })

  it('read into memory by its address', () => {
    const fd = sys('open', ['/proc/self/comm', O.RDONLY | O.CLOEXEC, 0])
    const memory = new HostMemory(64)
    const length = sys('read', [fd, memory.address, 64])
    closeFd(fd)
    expect(memory.bytes[length - 1]).toBe(10)
  })

  it('find the address of memory others own, and notice when it is another', () => {
    const addresses = new MemoryAddress()
    const [one, other] = [new Uint8Array(4096), new Uint8Array(new SharedArrayBuffer(4096))]
    const first = addresses.of(one)
    expect(addresses.of(one)).toBe(first)
    expect(addresses.of(one.subarray(8))).toBe(first + 8)
    expect(addresses.of(other)).not.toBe(first)
    expect(Number.isSafeInteger(addresses.of(other))).toBe(true)
  })

  it('map memory, and a view that is still around afterwards reads zeros', () => {
    const c = libc()
    const fd = sys('open', ['/dev/zero', O.RDWR | O.CLOEXEC, 0])
    const mapping = new Mapping(fd, 8192)
    closeFd(fd)
    const bytes = new Uint8Array(mapping.buffer)
    bytes[5000] = 7
    expect(new MemoryAddress().of(bytes)).toBe(mapping.address)
    mapping.unmap()
    mapping.unmap()
    expect(bytes[5000]).toBe(0)
    expect(() => mapping.buffer).toThrow(expect.objectContaining({ code: 'EFAULT' }))
    expect(c.errno()).toBeTypeOf('number')
  })
})

describe.skipIf(noLinux())('watchFd', () => {
  const opened: number[] = []
  afterEach(() => opened.splice(0).forEach(closeFd))

  /** Two connected sockets, by way of an abstract address of this process. */
  function pair(): [number, number] {
    const memory = new HostMemory(8)
    // eventfd is one descriptor that can be read when it was written.
    const fd = sys('eventfd', [0, 0o4000 | SOCK.CLOEXEC])
    opened.push(fd)
    memory.view.setBigUint64(0, 1n, true)
    return [fd, memory.address]
  }

  it.each<WatchMethod>(['uv', 'poll'])('%s tells until it was read, and not after close', async (method) => {
    const [fd, one] = pair()
    const count = new HostMemory(8)
    let told = 0
    let reads = false
    const watcher = watchFd(
      fd,
      {
        readable: () => {
          told++
          if (reads) libc().read(fd, count.address, 8)
        },
      },
      method,
    )
    watcher.start()
    expect(watcher.method).toBe(method)
    libc().write(fd, one, 8)
    await until(() => told >= 3, 'told again and again')
    reads = true
    await until(() => libc().read(fd, count.address, 8) === -1, 'it was read')
    reads = false
    const before = told
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(told).toBeLessThanOrEqual(before + 1)
    watcher.close()
    const after = told
    libc().write(fd, one, 8)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(told).toBe(after)
  })

  it.each<WatchMethod>(['uv', 'poll'])('%s tells of room only while it is wanted', async (method) => {
    const [fd] = pair()
    let room = 0
    const watcher = watchFd(fd, { writable: () => room++ }, method)
    watcher.start()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(room).toBe(0)
    watcher.wantWritable(true)
    await until(() => room > 0, 'room')
    watcher.wantWritable(false)
    watcher.close()
  })

  it('official node binaries need no thread', () => {
    expect(['uv', 'poll']).toContain(watchMethod())
  })
})

describe.skipIf(noNamespace())('a network namespace', () => {
  it('is empty but for lo, and what is done in it stays in it', () => {
    const netns = Netns.create()
    try {
      expect(netns.run(() => execFileSync('ip', ['-o', 'link'], { encoding: 'utf8' }))).toMatch(
        /^1: lo:[^\n]*\n$/,
      )
      netns.run(() => {
        setIfUp('lo', true)
        setIfMtu('lo', 4000)
      })
      expect(netns.run(() => ifFlags('lo')) & 1).toBe(1)
      expect(netns.run(() => ifIndex('lo'))).toBe(1)
      expect(netns.run(() => ifMtu('lo'))).toBe(4000)
      expect(() => netns.run(() => ifFlags('nosuch'))).toThrow(expect.objectContaining({ code: 'ENODEV' }))
    } finally {
      netns.close()
    }
    expect(() => netns.run(() => 0)).toThrow(expect.objectContaining({ code: 'EBADF' }))
  })

  it('one without a name is not found by name', () => {
    expect(() => Netns.named('vnet-no-such')).toThrow(/ip netns add vnet-no-such/)
    expect(() => Netns.named('../x')).toThrow(expect.objectContaining({ code: 'EINVAL' }))
  })

  it('says when more happened than could be told, and goes on', async () => {
    const netns = Netns.create()
    const events: LinkEvent[] = []
    let lost = 0
    const monitor = new LinkMonitor(
      (event) => events.push(event),
      () => lost++,
      netns,
    )
    const up = 'link set lo up\nlink set lo down\n'
    try {
      // The loop does not run meanwhile, and a socket holds some hundred messages.
      netns.run(() => execFileSync('ip', ['-batch', '-'], { input: up.repeat(1000) }))
      await until(() => lost > 0, 'it says so')
      await new Promise((resolve) => setTimeout(resolve, 20))
      events.length = 0
      netns.run(() => setIfMtu('lo', 5000))
      await until(() => events.length > 0, 'it goes on')
      expect(events.at(-1)).toMatchObject({ kind: 'link', index: 1, name: 'lo' })
    } finally {
      monitor.close()
      netns.close()
    }
  })

  it('tells no old news: the flags are those of now', async () => {
    const netns = Netns.create()
    const events: LinkEvent[] = []
    const monitor = new LinkMonitor(
      (event) => events.push(event),
      () => undefined,
      netns,
    )
    try {
      netns.run(() => execFileSync('ip', ['-batch', '-'], { input: 'link set lo up\nlink set lo down\n' }))
      await until(() => events.length >= 2, 'both are heard')
      expect(events.map(({ name, flags }) => [name, flags & 1])).toEqual(events.map(() => ['lo', 0]))
    } finally {
      monitor.close()
      netns.close()
    }
  })

  it('tells what happens to its interfaces, and not to others', async () => {
    const netns = Netns.create()
    const events: LinkEvent[] = []
    const monitor = new LinkMonitor(
      (event) => events.push(event),
      () => undefined,
      netns,
    )
    const ip = (...args: string[]): string => netns.run(() => execFileSync('ip', args, { encoding: 'utf8' }))
    try {
      ip('link', 'add', 'va', 'type', 'veth', 'peer', 'name', 'vb')
      ip('link', 'set', 'va', 'up')
      ip('link', 'del', 'va')
      await until(() => events.some((e) => e.kind === 'gone' && e.name === 'va'), 'va is gone')
      expect(events.some((e) => e.kind === 'link' && e.name === 'va' && (e.flags & 1) === 1)).toBe(true)
    } finally {
      monitor.close()
      netns.close()
    }
  })
})
