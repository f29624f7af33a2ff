import { createKernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { ArpingError, parseArping } from '../../src/arping/options.ts'
import { run } from '../run.ts'

const parse = (line: string): ReturnType<typeof parseArping> => parseArping(['arping', ...line.split(' ')])

function refusal(line: string): ArpingError {
  try {
    parse(line)
  } catch (error) {
    if (error instanceof ArpingError) return error
    throw error
  }
  throw new Error('taken')
}

describe('the command line of arping', () => {
  it('takes letters together, and a value with or without a blank', () => {
    expect(parse('-qfc3 -Ivnet0 -w 2 10.0.0.1')).toMatchObject({
      quiet: true,
      first: true,
      count: 3,
      device: 'vnet0',
      deadlineNs: 2e9,
      intervalNs: 1e9,
      target: '10.0.0.1',
    })
  })

  it('knows an answer from an announcement', () => {
    expect(parse('-U 10.0.0.1')).toMatchObject({ unsolicited: true, reply: false })
    expect(parse('-A 10.0.0.1')).toMatchObject({ unsolicited: true, reply: true })
  })

  it.each([
    ['-c 0 10.0.0.1', "arping: invalid argument: '0': out of range: 1 <= value <= 2147483647", 1],
    ['-w x 10.0.0.1', "arping: invalid argument: 'x'", 1],
    ['nobody.example', 'arping: nobody.example: Name or service not known', 2],
    ['-s ::1 10.0.0.1', 'arping: ::1: Name or service not known', 2],
    ['-V', 'arping from vnet, after iputils 20221126', 0],
  ])('%s: %s', (line, message, exitCode) => {
    expect(refusal(line)).toMatchObject({ message, exitCode })
  })

  it.each(['-Z', '-c', '-h', '-q'])('%s: tells how it is used', (line) => {
    expect(refusal(line).exitCode).toBe(2)
    expect(refusal(line).message).toContain('\nUsage:\n  arping [options] <destination>\n')
  })
})

describe('arping on a kernel without devices', () => {
  it('finds none', () => {
    expect(run(createKernel(), ['arping', '-I', 'vnet0', '10.0.0.1'])).toEqual({
      stdout: '',
      stderr: 'arping: Device vnet0 not available.\n',
      exitCode: 2,
    })
  })
})
