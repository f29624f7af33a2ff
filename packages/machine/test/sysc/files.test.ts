import { describe, expect, it } from 'vitest'
import { close, getdents, open, OpenFlag, read, readFile, readlink, stat, syscall, write } from '@vnet/tools'
import { Sys, syscallServer, utf8 } from '@vnet/netlink'
import { prInfo } from '@vnet/kernel'
import { calls } from '../helpers/calls.ts'
import { sysOfVnet } from '../helpers/tree.ts'
import { fileCalls } from '../../src/sysc/files.ts'
import { kmsgFile } from '../../src/log/kmsg.ts'
import { sysTree } from '../../src/sys/tree.ts'
import { staticDir } from '../../src/vfs/dirs.ts'
import { Vfs } from '../../src/vfs/vfs.ts'

function setup() {
  const { kernel, dev } = sysOfVnet(['backend=null'])
  const vfs = new Vfs(staticDir({ dev: staticDir({ kmsg: kmsgFile(kernel) }), sys: sysTree(kernel) }))
  const server = syscallServer(kernel)
  for (const [op, handler] of fileCalls(vfs)) server.register(op, handler)
  return { kernel, dev, server }
}

describe('system calls on files', () => {
  it('read a file to its end, and write one', () => {
    const { server, dev } = setup()
    const text = calls(server, function* (process) {
      const fd = yield* open(process, '/sys/class/net/vnet0/mtu', OpenFlag.RDWR)
      yield* write(process, fd, utf8('1234\n'))
      const first = yield* read(process, fd, 2)
      const rest = yield* read(process, fd)
      yield* close(fd)
      return String.fromCharCode(...first, ...rest)
    })
    expect(text).toBe('1234\n')
    expect(dev.mtu).toBe(1234)
  })

  it('list a directory, also in small pieces', () => {
    const { server } = setup()
    const names = calls(server, function* (process) {
      const fd = yield* open(process, '/sys/class/net/vnet0')
      return yield* getdents(process, fd)
    })
    expect(names.slice(0, 3)).toEqual(['addr_assign_type', 'addr_len', 'address'])
    expect(names).toContain('queues/')
    const pieces = calls(server, function* (process) {
      const fd = yield* open(process, '/sys/class/net')
      const buffer = process.memory.alloc(8)
      const sizes: number[] = []
      for (;;) {
        const got = Number(yield { fd, op: Sys.getdents, args: [buffer, 8] })
        sizes.push(got)
        if (got === 0) return sizes
      }
    })
    expect(pieces).toEqual([3, 6, 0])
  })

  it('tell what something is', () => {
    const { server } = setup()
    const [link, target, file] = calls(server, function* (process) {
      return [
        yield* stat(process, '/sys/class/net/vnet0'),
        yield* readlink(process, '/sys/class/net/vnet0'),
        yield* stat(process, '/sys/class/net/vnet0/mtu'),
      ] as const
    })
    expect(link.kind).toBe('link')
    expect(target).toBe('../../devices/virtual/net/vnet0')
    expect(file).toEqual({ kind: 'file', mode: 0o644, size: 4096n })
  })

  it.each([
    ['/sys/none', OpenFlag.RDONLY, 'No such file or directory'],
    ['/sys/class/net/vnet0/ifindex', OpenFlag.WRONLY, 'Permission denied'],
    ['/sys', OpenFlag.WRONLY, 'Is a directory'],
  ])('opening %s with %i: %s', (path, flags, message) => {
    const { server } = setup()
    expect(() => calls(server, (process) => open(process, path, flags))).toThrow(message)
  })

  it('reading an attribute hands its error on', () => {
    const { server } = setup()
    expect(() => calls(server, (process) => readFile(process, '/sys/class/net/vnet0/speed'))).toThrow(
      'Invalid argument',
    )
  })

  it('without the right to administrate nothing can be opened for writing', () => {
    const { server } = setup()
    const program = (flags: number) => () =>
      calls(server, (process) => open(process, '/sys/class/net/vnet0/mtu', flags), { capNetAdmin: false })
    expect(program(OpenFlag.WRONLY)).toThrow('Permission denied')
    expect(program(OpenFlag.RDONLY)).not.toThrow()
  })

  it('a read of the log waits for the next line', () => {
    const { server, kernel } = setup()
    kernel.log.clear()
    prInfo(kernel, 'first')
    const lines: string[] = []
    calls(server, function* (process) {
      const fd = yield* open(process, '/dev/kmsg')
      lines.push(String.fromCharCode(...(yield* read(process, fd))))
      prInfo(kernel, 'second\nhalf')
      lines.push(String.fromCharCode(...(yield* read(process, fd))))
    })
    expect(lines[0]).toMatch(/^6,\d+,0,-;first\n$/)
    expect(lines[1]).toMatch(/^6,\d+,0,-;second\\x0ahalf\n$/)
  })

  it('a nonblocking read of the log does not wait', () => {
    const { server, kernel } = setup()
    kernel.log.clear()
    const program = (): unknown =>
      calls(server, function* (process) {
        const fd = yield* open(process, '/dev/kmsg', OpenFlag.NONBLOCK)
        return yield* read(process, fd)
      })
    expect(program).toThrow('Resource temporarily unavailable')
  })

  it('a line written to the log has its level', () => {
    const { server, kernel } = setup()
    calls(server, function* (process) {
      const fd = yield* open(process, '/dev/kmsg', OpenFlag.WRONLY)
      return yield* write(process, fd, utf8('<3>from outside\n'))
    })
    expect(kernel.log.records.at(-1)).toMatchObject({ level: 3, text: 'from outside' })
  })

  it('a call on nothing that is open is refused', () => {
    const { server } = setup()
    const program = (): unknown =>
      calls(server, (process) => syscall(null, Sys.read, [process.memory.alloc(4), 4]))
    expect(program).toThrow('Bad file descriptor')
  })
})
