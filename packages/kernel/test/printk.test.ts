import { describe, expect, it } from 'vitest'
import { createKernel } from '../src/kernel.ts'
import {
  dmesg,
  prAlert,
  prCrit,
  prDebug,
  prEmerg,
  prErr,
  prInfo,
  prNotice,
  prWarn,
  printk,
} from '../src/printk.ts'
import type { LogRecord } from '../src/printk.ts'

describe('the log', () => {
  it('gives each level its number', () => {
    const kernel = createKernel()
    for (const print of [prEmerg, prAlert, prCrit, prErr, prWarn, prNotice, prInfo, prDebug])
      print(kernel, 'x')
    expect(kernel.log.records.map((r) => r.level)).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
  })

  it('records when and in which context, and drops one final newline', () => {
    const kernel = createKernel()
    kernel.runFor(1_500)
    printk(kernel, 6, 'one\n')
    expect(kernel.log.records).toEqual([{ seq: 0, time: 1_500, level: 6, text: 'one', ctx: 'process' }])
  })

  it('keeps the last 8,192 lines and goes on counting', () => {
    const kernel = createKernel()
    for (let i = 0; i < 8200; i++) prInfo(kernel, `line ${i}`)
    expect(kernel.log.records.length).toBe(8192)
    expect(kernel.log.records[0]).toMatchObject({ seq: 8, text: 'line 8' })
    expect(kernel.log.records.at(-1)).toMatchObject({ seq: 8199, text: 'line 8199' })
  })

  it('hides old lines after clear, but not from a reader by sequence number', () => {
    const kernel = createKernel()
    prInfo(kernel, 'before')
    kernel.log.clear()
    prInfo(kernel, 'after')
    expect(dmesg(kernel, { time: false })).toBe('after\n')
    expect(kernel.log.since(0).map((r) => r.text)).toEqual(['before', 'after'])
    expect(kernel.log.nextSeq).toBe(2)
  })

  it('tells subscribers until they leave', () => {
    const kernel = createKernel()
    const seen: LogRecord[] = []
    const leave = kernel.log.subscribe((record) => seen.push(record))
    prInfo(kernel, 'a')
    leave()
    prInfo(kernel, 'b')
    expect(seen.map((r) => r.text)).toEqual(['a'])
  })

  it('delivers the line of a listener that logs after the line it answers, to everyone in order', () => {
    const kernel = createKernel()
    const seen: string[] = []
    kernel.log.subscribe((r) => {
      if (r.text === 'ping') prInfo(kernel, 'pong')
    })
    kernel.log.subscribe((r) => seen.push(r.text))
    prInfo(kernel, 'ping')
    expect(seen).toEqual(['ping', 'pong'])
  })
})

describe('dmesg', () => {
  it('stamps seconds in five places and microseconds in six', () => {
    const kernel = createKernel()
    prInfo(kernel, 'start')
    kernel.runFor(5.123456e9)
    prInfo(kernel, 'vnet: registered device vnet0')
    kernel.runFor(100_000e9)
    prInfo(kernel, 'late')
    expect(dmesg(kernel)).toBe(
      '[    0.000000] start\n[    5.123456] vnet: registered device vnet0\n[100005.123456] late\n',
    )
  })

  it('prints only the text with time: false, as dmesg -t', () => {
    const kernel = createKernel()
    prInfo(kernel, 'a')
    prErr(kernel, 'b')
    expect(dmesg(kernel, { time: false })).toBe('a\nb\n')
  })

  it('indents further lines to the stamp and shows unprintable characters', () => {
    const kernel = createKernel()
    prInfo(kernel, 'a\nb\x1b[1m')
    expect(dmesg(kernel)).toBe('[    0.000000] a\n               b\\x1b[1m\n')
    expect(dmesg(kernel, { time: false })).toBe('a\nb\\x1b[1m\n')
  })
})
