import { spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { FrameDecoder, putFrame } from '@vnet/backend-stream'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { Machines, until } from '../machines.ts'
import { Cli, type Ended } from '../run.ts'

// Each step starts processes, on a host that may be busy.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })
const cli = new Cli()
let machines: Machines

beforeAll(() => cli.build())
afterAll(() => cli.remove())
beforeEach(async () => {
  machines = new Machines(cli)
  await machines.vnet(['boot', '-d'])
})
afterEach(() => machines.remove())

const vnet = (...words: string[]): Promise<Ended> => machines.vnet(words)
const OK = { stdout: '', stderr: '', code: 0 }

describe('vnet cable', () => {
  it('plugs, cuts and mends while the machine runs', async () => {
    await vnet('insmod', 'vnet', 'devices=2', 'backend=null')
    expect(await vnet('cable', 'plug', 'vnet0', 'patch:ab', 'drop=10%', 'seed=7')).toEqual(OK)
    expect(await vnet('cable', 'plug', 'vnet1', 'patch:ab')).toEqual(OK)
    expect(await vnet('cable', 'cut', 'vnet0')).toEqual(OK)
    expect(await vnet('cable', 'hang', 'vnet1', '60s')).toEqual(OK)
    expect((await vnet('cable', 'list')).stdout).toBe(
      'vnet0  patch:ab  cut        drop=10%,seed=7  tx=0 rx=0 dropped=0 missed=0\n' +
        'vnet1  patch:ab  down,hung  -                tx=0 rx=0 dropped=0 missed=0\n',
    )
    expect(await vnet('cable', 'repair', 'vnet0')).toEqual(OK)
    expect(await vnet('cable', 'recover', 'vnet1')).toEqual(OK)
    expect((await vnet('cable', 'list')).stdout).toMatch(
      /^vnet0 {2}patch:ab {2}up .*\nvnet1 {2}patch:ab {2}up /,
    )
    expect(await vnet('cable', 'unplug', 'vnet0')).toEqual(OK)
    expect((await vnet('cat', '/sys/kernel/debug/vnet/cables')).stdout).toMatch(/^vnet0 {2}- {2}down /)
  })

  it('says why the machine refuses, with exit code 1', async () => {
    await vnet('insmod', 'vnet', 'backend=null')
    for (const [words, sentence] of [
      ['plug vnet7 null', 'there is no vnet device "vnet7"'],
      ['plug vnet0 null drop=500%', 'faults: drop=500% is not understood, write drop=10%'],
      ['hang vnet0 6', '"6" is no time; write 6s or 500ms'],
    ] as const)
      expect(await vnet('cable', ...words.split(' '))).toEqual({
        stdout: '',
        stderr: `vnet cable: ${sentence}\n`,
        code: 1,
      })
    expect((await vnet('cable', 'plug', 'vnet0', 'hub:x')).stderr).toContain(
      'there is no cable "hub:x" here, but null',
    )
  })

  it('with words that make no sense says how it is used, with exit code 2', async () => {
    for (const words of [
      ['plug', 'vnet0'],
      ['cut'],
      ['cut', 'vnet0', 'x'],
      ['saw', 'vnet0'],
      ['list', 'x'],
    ]) {
      const { stderr, code } = await vnet('cable', ...words)
      expect([stderr.split('\n')[0], code]).toEqual(['Usage: vnet cable list', 2])
    }
    expect((await vnet('cable', '--help')).stdout).toContain('vnet cable plug DEV CABLE')
  })

  it('tells where there is no device, and no machine', async () => {
    expect(await vnet('cable')).toMatchObject({ stderr: expect.stringContaining('there is no vnet device') })
    await vnet('poweroff')
    expect(await vnet('cable', 'list')).toMatchObject({
      stderr: expect.stringContaining('no machine runs'),
      code: 1,
    })
  })
})

/** Frames with their length before them. */
function stream(...frames: Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(frames.reduce((sum, frame) => sum + frame.length + 4, 0))
  let at = 0
  for (const frame of frames) at += putFrame(bytes, at, frame, 0, frame.length)
  return bytes
}

/** A broadcast frame of a protocol nobody speaks. */
const broadcast = (): Uint8Array => new Uint8Array(60).fill(0x88, 6).fill(0xff, 0, 6).fill(2, 6, 7)

describe('vnet chardev', () => {
  beforeEach(() => vnet('insmod', 'vnet', 'devices=2', 'backend=null'))

  it('prints the path of the wire, and says which device has none', async () => {
    const path = machines.file('default-vnet1.wire')
    expect(await vnet('chardev', 'vnet1', '--path')).toEqual({ stdout: `${path}\n`, stderr: '', code: 0 })
    expect(existsSync(path)).toBe(true)
    const { stderr, code } = await vnet('chardev', 'vnet9')
    expect([stderr, code]).toEqual([
      'vnet chardev: there is no wire of a device "vnet9"; vnet cable list shows which devices there are\n',
      1,
    ])
    expect(await vnet('chardev')).toMatchObject({ code: 2 })
    expect(await vnet('chardev', 'vnet0', '--fast')).toMatchObject({ code: 2 })
  })

  it('is the pipe itself: what the card sends comes out, what goes in reaches the card', async () => {
    await vnet('ip', 'link', 'set', 'vnet0', 'up')
    const pipe = machines.start(['chardev', 'vnet0'])
    const ethertypes: number[] = []
    const decoder = new FrameDecoder(new Uint8Array(1 << 20), 0, 1 << 20)
    pipe.stdout.on('data', (piece: Uint8Array) => {
      decoder.push(piece, 0, piece.length)
      decoder.take(Infinity, (mem, offset) => ethertypes.push((mem[offset + 12]! << 8) | mem[offset + 13]!))
    })
    const received = async (): Promise<string> =>
      (await vnet('cat', '/sys/class/net/vnet0/statistics/rx_packets')).stdout
    pipe.stdin.write(stream(broadcast(), broadcast()))
    await until(async () => (await received()) === '2\n')
    await vnet('ip', 'addr', 'add', '10.0.0.1/24', 'dev', 'vnet0')
    await vnet('arping', '-c', '1', '-w', '1', '-I', 'vnet0', '10.0.0.2')
    await until(() => ethertypes.includes(0x0806))
    const ended = new Promise((resolve) => pipe.on('close', resolve))
    await vnet('rmmod', 'vnet')
    expect(await ended).toBe(0)
  })

  it('--send ends with its input, when the card has all of it', async () => {
    await vnet('ip', 'link', 'set', 'vnet0', 'up')
    const frames = stream(...Array.from({ length: 1000 }, broadcast))
    const pipe = machines.start(['chardev', 'vnet0', '--send'])
    const ended = new Promise((resolve) => pipe.on('close', resolve))
    pipe.stdin.end(frames)
    expect(await ended).toBe(0)
    const { stdout } = await vnet('cat', '/sys/class/net/vnet0/statistics/rx_packets')
    expect(stdout).toBe('1000\n')
  })

  it('wires go with the device, follow its name, and end with the machine; a killed one leaves none behind', async () => {
    const wires = (): string[] => readdirSync(machines.folder).filter((file) => file.endsWith('.wire'))
    expect(wires().sort()).toEqual(['default-vnet0.wire', 'default-vnet1.wire'])
    await vnet('ip', 'link', 'set', 'vnet1', 'name', 'lan7')
    await until(() => wires().includes('default-lan7.wire'))
    expect(wires()).toHaveLength(2)
    process.kill(machines.pid(), 'SIGKILL')
    await until(async () => (await vnet('machines', '--json')).stdout === '[]\n')
    expect(wires()).toHaveLength(2)
    await vnet('boot', '-d')
    await until(() => wires().length === 0)
    await vnet('insmod', 'vnet', 'backend=null')
    await until(() => wires().length === 1)
    await vnet('poweroff')
    expect(wires()).toEqual([])
  })

  it('a reader that leaves ends the pipe', async () => {
    const sh = `${process.execPath} ${cli.file} chardev vnet0 | head -c 4 > /dev/null`
    const child = spawn('sh', ['-c', sh], { env: machines.env, stdio: ['pipe', 'ignore', 'ignore'] })
    const ended = new Promise((resolve) => child.on('close', resolve))
    await vnet('cable', 'plug', 'vnet0', 'null')
    await vnet('ip', 'link', 'set', 'vnet0', 'up')
    await vnet('ip', 'addr', 'add', '10.0.0.1/24', 'dev', 'vnet0')
    const state = { over: false }
    void ended.then(() => (state.over = true))
    for (let i = 0; i < 20 && !state.over; i++)
      await vnet('arping', '-c', '2', '-w', '1', '-I', 'vnet0', '10.0.0.2')
    expect(await ended).toBe(0)
  })
})
