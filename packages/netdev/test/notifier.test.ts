import { Errno } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { devClose, devOpen, registerNetdeviceNotifier } from '../src/index.ts'
import { makeDev } from './helpers.ts'

function code(fn: () => void): string {
  try {
    fn()
  } catch (error) {
    if (error instanceof Errno) return error.code
    throw error
  }
  return 'ok'
}

describe('notifiers', () => {
  it('LIFE-02 one who refuses a device that is there already hears it go again, and is not registered', () => {
    const { kernel } = makeDev()
    makeDev({}, { kernel, name: 'bad' })
    const seen: string[] = []
    const listen = () =>
      registerNetdeviceNotifier(kernel, (event, dev) => {
        seen.push(`${event} ${dev.name}`)
        if (dev.name === 'bad') throw new Errno('EINVAL')
      })
    expect(code(listen)).toBe('EINVAL')
    expect(seen).toEqual([
      'NETDEV_REGISTER test0',
      'NETDEV_UP test0',
      'NETDEV_REGISTER bad',
      'NETDEV_GOING_DOWN test0',
      'NETDEV_DOWN test0',
      'NETDEV_UNREGISTER test0',
    ])
    makeDev({}, { kernel })
    expect(seen).toHaveLength(6)
  })

  it('what has happened cannot be refused: a listener that throws changes nothing, and the others are told', () => {
    const { kernel, dev } = makeDev({}, { down: true })
    const seen: string[] = []
    registerNetdeviceNotifier(kernel, (event) => {
      if (event !== 'NETDEV_PRE_UP' && event !== 'NETDEV_REGISTER') throw new Errno('EPERM')
    })
    registerNetdeviceNotifier(kernel, (event) => void seen.push(event))
    seen.length = 0
    kernel.rtnl.run(() => devOpen(dev))
    kernel.rtnl.run(() => devClose(dev))
    expect(seen).toEqual(['NETDEV_PRE_UP', 'NETDEV_UP', 'NETDEV_GOING_DOWN', 'NETDEV_DOWN'])
  })

  it('plays REGISTER and UP to one who comes late, and the end to one who leaves', () => {
    const { kernel } = makeDev()
    makeDev({}, { kernel, down: true })
    const seen: string[] = []
    const stop = registerNetdeviceNotifier(kernel, (event, dev) => void seen.push(`${event} ${dev.name}`))
    expect(seen).toEqual(['NETDEV_REGISTER test0', 'NETDEV_UP test0', 'NETDEV_REGISTER test1'])
    seen.length = 0
    stop()
    stop()
    expect(seen).toEqual([
      'NETDEV_GOING_DOWN test0',
      'NETDEV_DOWN test0',
      'NETDEV_UNREGISTER test0',
      'NETDEV_UNREGISTER test1',
    ])
    makeDev({}, { kernel })
    expect(seen).toHaveLength(4)
  })
})
