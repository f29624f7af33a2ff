import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Errno } from '@vnet/kernel'
import { attribute, link, liveDir, mergedDir, procFile, refusing, staticDir } from '../../src/vfs/dirs.ts'
import { OpenFlag } from '../../src/vfs/open-file.ts'
import { Vfs } from '../../src/vfs/vfs.ts'
import { setUp, sysOfVnet } from '../helpers/tree.ts'

/** What a call is refused with. */
function code(fn: () => unknown): string {
  try {
    fn()
    return 'done'
  } catch (error) {
    if (error instanceof Errno) return error.code
    throw error
  }
}

function tree(): { vfs: Vfs; written: string[] } {
  const written: string[] = []
  const vfs = new Vfs(
    staticDir({
      a: staticDir({
        file: attribute(
          () => 'text\n',
          (text) => written.push(text),
        ),
        up: link('../b'),
      }),
      b: staticDir({ only: procFile(() => 'x\n'), abs: link('/a/file'), bad: refusing('EINVAL') }),
      loop: link('loop'),
      here: link('.'),
    }),
  )
  return { vfs, written }
}

describe('paths', () => {
  it('lead through directories, dots and links, relative and absolute', () => {
    const { vfs } = tree()
    expect(vfs.read('/a/file')).toBe('text\n')
    expect(vfs.read('a//./../a/file')).toBe('text\n')
    expect(vfs.read('/a/up/abs')).toBe('text\n')
    expect(vfs.read('/../../b/only')).toBe('x\n')
    expect(vfs.realpath('/here/a/up')).toBe('/b')
  })

  it.each([
    ['', 'ENOENT'],
    ['/none', 'ENOENT'],
    ['/none/x', 'ENOENT'],
    ['/a/file/x', 'ENOTDIR'],
    ['/a/file/', 'ENOTDIR'],
    ['/a/file/..', 'ENOTDIR'],
    ['/loop', 'ELOOP'],
    ['/loop/x', 'ELOOP'],
    [`/${'n'.repeat(256)}`, 'ENAMETOOLONG'],
    [`/${'n/'.repeat(3000)}`, 'ENAMETOOLONG'],
    ['/constructor', 'ENOENT'],
    ['/a/__proto__', 'ENOENT'],
  ])('%j is refused with %s', (path, expected) => {
    expect(code(() => tree().vfs.lookup(path))).toBe(expected)
  })

  it('a link itself is only seen without following', () => {
    const { vfs } = tree()
    expect(vfs.stat('/a/up').kind).toBe('dir')
    expect(vfs.stat('/a/up', false)).toEqual({ kind: 'link', mode: 0o777, size: 4 })
    expect(vfs.readlink('/a/up')).toBe('../b')
    expect(code(() => vfs.readlink('/a/file'))).toBe('EINVAL')
    expect(vfs.stat('/a/up/', false).kind).toBe('dir')
  })
})

describe('open files', () => {
  it.each([
    ['/a/file', OpenFlag.RDWR, 'done'],
    ['/b/only', OpenFlag.WRONLY, 'done'],
    ['/b/bad', OpenFlag.WRONLY, 'EACCES'],
    ['/a', OpenFlag.WRONLY, 'EISDIR'],
    ['/a', OpenFlag.RDONLY | OpenFlag.DIRECTORY, 'done'],
    ['/a/file', OpenFlag.DIRECTORY, 'ENOTDIR'],
    ['/a/new', OpenFlag.WRONLY | OpenFlag.CREAT, 'EACCES'],
    ['/none/new', OpenFlag.WRONLY | OpenFlag.CREAT, 'ENOENT'],
    ['/a/file', OpenFlag.WRONLY | OpenFlag.CREAT | OpenFlag.EXCL, 'EEXIST'],
    ['/a/up', OpenFlag.NOFOLLOW, 'ELOOP'],
    ['/a/file', 3, 'EINVAL'],
  ])('%s with flags %i: %s', (path, flags, expected) => {
    expect(code(() => tree().vfs.open(path, flags))).toBe(expected)
  })

  it('give a text in pieces, as it was at the first read', () => {
    let n = 0
    const vfs = new Vfs(staticDir({ n: attribute(() => `${String(++n).repeat(5)}\n`) }))
    const file = vfs.open('/n')
    expect(String.fromCharCode(...file.read(3)!)).toBe('111')
    expect(String.fromCharCode(...file.read(9)!)).toBe('11\n')
    expect(file.read(9)).toHaveLength(0)
    expect(n).toBe(1)
  })

  it('a file of proc that cannot be written says so at the write', () => {
    expect(code(() => tree().vfs.write('/b/only', 'x'))).toBe('EIO')
  })

  it('a write longer than a page comes in pieces', () => {
    const { vfs, written } = tree()
    vfs.write('/a/file', 'y'.repeat(10_000))
    expect(written.map((text) => text.length)).toEqual([4096, 4096, 1808])
  })

  it('reading what was opened for writing is refused, and the other way round', () => {
    const { vfs } = tree()
    expect(code(() => vfs.open('/a/file', OpenFlag.WRONLY).read(1))).toBe('EBADF')
    expect(code(() => vfs.open('/a/file').write(new Uint8Array(1)))).toBe('EBADF')
  })
})

describe('directories', () => {
  it('are sorted, and those of directories end in a slash', () => {
    expect(tree().vfs.list('/')).toEqual(['a/', 'b/', 'here', 'loop'])
    expect(code(() => tree().vfs.list('/a/file'))).toBe('ENOTDIR')
  })

  it('merged, the first that has a name counts', () => {
    const first = staticDir({ x: attribute(() => '1') })
    const second = liveDir(
      () => ['x', 'y'],
      () => attribute(() => '2'),
    )
    const vfs = new Vfs(mergedDir(first, second))
    expect(vfs.list('/')).toEqual(['x', 'y'])
    expect(vfs.read('/x')).toBe('1')
  })
})

describe('anything a program can ask', () => {
  const segment = fc.oneof(
    fc.constantFrom(
      '..',
      '.',
      '',
      'sys',
      'class',
      'net',
      'vnet0',
      'lo',
      'queues',
      'tx-0',
      'rx-0',
      'tx-9',
      'mtu',
    ),
    fc.constantFrom(
      'statistics',
      'devices',
      'virtual',
      'module',
      'vnet',
      'parameters',
      'flags',
      'byte_queue_limits',
    ),
    fc.string({ maxLength: 12 }),
  )

  it('ends in a text or an errno', () => {
    const { vfs, dev } = sysOfVnet(['backend=null'])
    setUp(dev, true)
    fc.assert(
      fc.property(fc.array(segment, { maxLength: 12 }), fc.string({ maxLength: 6000 }), (path, text) => {
        const name = `/${path.join('/')}`
        for (const ask of [
          () => vfs.read(name),
          () => vfs.list(name),
          () => vfs.stat(name, false),
          () => vfs.readlink(name),
          () => vfs.realpath(name),
          () => vfs.write(name, text),
        ]) {
          code(ask)
        }
      }),
      { numRuns: 300 },
    )
    expect(dev.kernel.violations).toEqual([])
  })
})
