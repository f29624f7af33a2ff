import { expect, it } from 'vitest'
import { createKernel, hwEventSetup, hwEventStart, kthreadRun, scheduleWork, workSetup } from '@vnet/kernel'

it('a new kernel has nothing alive in it', () => {
  expect(createKernel().census.take()).toEqual([])
})

it('LIFE-11 lists everything alive by kind, what is due first before the rest, with the module that made it', () => {
  const kernel = createKernel()
  kernel.currentModule = 'vnet'
  hwEventStart(
    hwEventSetup(kernel, () => {}, 'later'),
    20,
  )
  hwEventStart(
    hwEventSetup(kernel, () => {}, 'sooner'),
    10,
  )
  scheduleWork(workSetup(kernel, () => {}, 'linkwatch'))
  kernel.currentModule = null
  kthreadRun(kernel, () => {}, 'kworker')
  kernel.census.add('skb', () => [{ name: '2 of vnet0', module: 'vnet' }])
  expect(kernel.census.take()).toEqual([
    { kind: 'hwevent', name: 'sooner', module: 'vnet' },
    { kind: 'hwevent', name: 'later', module: 'vnet' },
    { kind: 'work', name: 'linkwatch', module: 'vnet' },
    { kind: 'kthread', name: 'kworker', module: null },
    { kind: 'skb', name: '2 of vnet0', module: 'vnet' },
  ])
})
