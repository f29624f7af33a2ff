import { constants } from 'node:os'
import { describe, expect, it } from 'vitest'
import { Errno, ERRNO, errnoName, strerror } from '@vnet/kernel'
import type { ErrnoName } from '@vnet/kernel'

describe('ERRNO', () => {
  it.runIf(process.platform === 'linux')('agrees with the host on every name both know', () => {
    const names = Object.keys(ERRNO).filter((name) => name in constants.errno) as ErrnoName[]
    expect(names.length).toBeGreaterThan(60)
    for (const name of names) expect([name, ERRNO[name]]).toEqual([name, constants.errno[name as 'EINVAL']])
  })
  it('gives a name back for a number of either sign', () => {
    expect(errnoName(-22)).toBe('EINVAL')
    expect(errnoName(22)).toBe('EINVAL')
    expect(errnoName(11)).toBe('EAGAIN')
    expect(errnoName(4095)).toBeUndefined()
  })
})

describe('strerror', () => {
  it('prints what the C library prints', () => {
    expect(strerror('EINVAL')).toBe('Invalid argument')
    expect(strerror(-95)).toBe('Operation not supported')
    expect(strerror(16)).toBe('Device or resource busy')
    expect(strerror('EWOULDBLOCK')).toBe('Resource temporarily unavailable')
    expect(strerror(0)).toBe('Success')
    expect(strerror(1234)).toBe('Unknown error 1234')
  })
  it('knows a sentence for every name', () => {
    for (const name of Object.keys(ERRNO) as ErrnoName[]) expect(strerror(name)).not.toContain('Unknown')
  })
})

describe('Errno', () => {
  it('carries name, negative number, sentence and attribute', () => {
    const error = new Errno('EINVAL', 'requested ring size exceeds maximum', 'rx')
    expect(error).toMatchObject({
      name: 'Errno',
      code: 'EINVAL',
      errno: -22,
      message: 'requested ring size exceeds maximum',
      extack: 'requested ring size exceeds maximum',
      badAttr: 'rx',
    })
    expect(error).toBeInstanceOf(Error)
  })
  it('without a sentence says the plain text and has no extack', () => {
    const error = new Errno('ENODEV')
    expect(error.message).toBe('No such device')
    expect(error.extack).toBeUndefined()
    expect(error.badAttr).toBeUndefined()
  })
})
