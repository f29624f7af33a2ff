import { createKernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { tapSettings } from '../src/options.ts'
import { explainTapRefusal } from '../src/refusals.ts'
import { tapBackend } from '../src/tap-backend.ts'

describe('options', () => {
  it.each([
    [{ name: 'sixteen-letters-' }, /16 bytes long/],
    [{ name: '' }, /empty/],
    [{ name: 'a b' }, /cannot name/],
    [{ name: 'a/b' }, /cannot name/],
    [{ name: '..' }, /cannot name/],
    [{ name: 'ééééééééa' }, /17 bytes long/],
    [{ queues: 0 }, /queues is 0/],
    [{ queues: 257 }, /queues is 257/],
    [{ queues: 1.5 }, /queues is 1.5/],
    [{ budget: 0 }, /budget is 0/],
    [{ mtu: 67 }, /mtu is 67/],
    [{ macAddress: new Uint8Array(5) }, /has 5 bytes/],
  ])('%j is refused before anything is opened', (options, sentence) => {
    expect(() => tapBackend(createKernel(), options)).toThrow(sentence)
    expect(() => tapSettings(options)).toThrow(expect.objectContaining({ code: 'EINVAL' }))
  })

  it('a name of 15 bytes is one', () => {
    expect(tapSettings({ name: 'fifteen-letters' }).name).toBe('fifteen-letters')
  })
})

describe('refusals', () => {
  it.each([
    ['ENOENT', 'open', /modprobe tun/],
    ['ENODEV', 'open', /driver is not/],
    ['EACCES', 'open', /may not open/],
    ['EPERM', 'create', /unshare -rn/],
    ['EPERM', 'configure', /ip link set t0 up/],
    ['EBUSY', 'create', /t0 is taken/],
    ['EBUSY', 'queue', /number of queues/],
    ['EINVAL', 'create', /no such TAP/],
  ] as const)('%s at %s says what to do', (code, step, sentence) => {
    expect(explainTapRefusal(code, 't0', step)).toMatch(sentence)
  })

  it('what nobody can explain is left to its own text', () => {
    expect(explainTapRefusal('ENOMEM', 't0')).toBeUndefined()
    expect(explainTapRefusal('ENOMEM', 't0', 'open')).toBeUndefined()
  })
})
