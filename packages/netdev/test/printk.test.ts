import { createKernel, LogLevel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import {
  netdevCrit,
  netdevErr,
  netdevInfo,
  netdevNotice,
  netdevWarn,
  netifErr,
  netifInfo,
  netifMsg,
  NetifMsg,
  netifMsgInit,
  netifWarn,
  unregisterNetdev,
} from '../src/index.ts'
import { allocDev, logTexts, makeDev } from './helpers.ts'

describe('messages', () => {
  it('LOG-01 start with the name of the device, at their level', () => {
    const { kernel, dev } = makeDev()
    const before = kernel.log.records.length
    for (const say of [netdevCrit, netdevErr, netdevWarn, netdevNotice, netdevInfo]) say(dev, 'hello')
    const lines = kernel.log.records.slice(before)
    expect(lines.map(({ text }) => text)).toEqual(new Array(5).fill('test0: hello'))
    expect(lines.map(({ level }) => level)).toEqual([
      LogLevel.CRIT,
      LogLevel.ERR,
      LogLevel.WARNING,
      LogLevel.NOTICE,
      LogLevel.INFO,
    ])
  })

  it('LOG-01 say when the device is not registered, and where a card stands', () => {
    const kernel = createKernel()
    netdevInfo(allocDev(kernel), 'early')
    const { dev } = makeDev(
      {},
      {
        kernel,
        setup(d) {
          d.driverName = 'e1000'
          d.parentDev = '0000:00:03.0'
        },
      },
    )
    netdevInfo(dev, 'ready')
    unregisterNetdev(dev)
    netdevInfo(dev, 'late')
    expect(logTexts(kernel)).toEqual([
      '(unnamed net_device) (uninitialized): early',
      'e1000 0000:00:03.0 test0: ready',
      'e1000 0000:00:03.0 test0 (unregistered): late',
    ])
  })

  it('LOG-03 are gated by their class', () => {
    const { kernel, dev } = makeDev()
    dev.msgEnable = NetifMsg.link | NetifMsg.rx_err
    for (const say of [netifErr, netifWarn, netifInfo]) {
      say(dev, 'link', 'link')
      say(dev, 'tx_err', 'tx_err')
    }
    expect(logTexts(kernel)).toEqual(['test0: link', 'test0: link', 'test0: link'])
    expect([netifMsg(dev, 'rx_err'), netifMsg(dev, 'drv')]).toEqual([true, false])
  })

  it('LOG-03 a debug level means the lowest classes', () => {
    const table: [number, number][] = [
      [-1, 7],
      [0, 0],
      [1, 1],
      [3, 7],
      [16, 0xffff],
      [31, 0x7fffffff],
      [32, 7],
    ]
    for (const [debug, want] of table) expect([debug, netifMsgInit(debug, 7)]).toEqual([debug, want])
  })
})
