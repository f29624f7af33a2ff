import { existsSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hostHas, skipUnless } from '../machines.ts'
import { Cli } from '../run.ts'
import { House, noNamespaces, until } from './house.ts'

const why = noNamespaces() ?? (existsSync('/dev/net/tun') ? undefined : 'no /dev/net/tun')
const tap = { skip: skipUnless(`TAP: ${why ?? ''}`, why === undefined), timeout: 60_000 }
const also = (tool: string) => ({
  ...tap,
  skip: tap.skip || skipUnless(`no ${tool} on this host`, hostHas(tool)),
})

/**
 * The frames of a capture as tcpdump prints them, without the time. The card pads short frames on their way, and each
 * side sees what it sends before the other does.
 */
const frames = (text: string): string[] =>
  text
    .split('\n')
    .filter((line) => / > .*(ICMP|ARP)/.test(line))
    .map((line) => line.replace(/^\S+ /, '').replace(/(ARP.*) length \d+: (.*), length \d+$/, '$1: $2'))
    .sort()

describe('vnet0 on a TAP: the host talks to it', () => {
  const cli = new Cli()
  let house: House
  let space: string

  beforeAll(() => cli.build())
  afterAll(() => cli.remove())
  beforeEach(async () => {
    house = new House(cli)
    if (tap.skip) return
    space = await house.namespace('t')
    await house.machine(space, 'm', 'tap:tap0', '10.66.0.2/24', 'fd66::2/64')
    await house.inside(space, 'ip', 'addr', 'add', '10.66.0.1/24', 'dev', 'tap0')
    await house.inside(space, 'ip', 'addr', 'add', 'fd66::1/64', 'dev', 'tap0', 'nodad')
    await until(async () =>
      (await house.vnet(null, '--machine', 'm', 'ip', '-6', 'addr')).stdout.includes(
        'fd66::2/64 scope global \n',
      ),
    )
  })
  afterEach(() => house.remove())

  it('10,000 of 10,000 pings of a flood are answered', also('ping'), async () => {
    const { stdout } = await house.inside(space, 'ping', '-q', '-f', '-c', '10000', '10.66.0.2')
    expect(stdout).toContain('10000 packets transmitted, 10000 received, 0% packet loss')
  })

  it('IPv6, and from our side', also('ping'), async () => {
    const theirs = await house.inside(space, 'ping', '-q', '-c', '20', '-i', '0.01', 'fd66::2')
    expect(theirs.stdout).toContain('20 packets transmitted, 20 received, 0% packet loss')
    const ours = await house.vnet(null, '--machine', 'm', 'ping', '-c', '3', '-i', '0.01', 'fd66::1')
    expect(ours.stdout).toContain('3 packets transmitted, 3 received, 0% packet loss')
    const big = await house.inside(space, 'ping', '-q', '-c', '3', '-i', '0.01', '-s', '4000', '10.66.0.2')
    expect(big.stdout).toContain('3 packets transmitted, 3 received, 0% packet loss')
  })

  it('arping, both ways', also('arping'), async () => {
    const theirs = await house.inside(space, 'arping', '-I', 'tap0', '-c', '2', '10.66.0.2')
    expect(theirs.stdout).toContain('Unicast reply from 10.66.0.2 [02:00:00:00:00:01]')
    expect(theirs.stdout).toContain('Received 2 response(s)')
    const ours = await house.vnet(null, '--machine', 'm', 'arping', '-I', 'vnet0', '-c', '2', '10.66.0.1')
    expect(ours.stdout).toMatch(
      /^ARPING 10\.66\.0\.1 from 10\.66\.0\.2 vnet0\nUnicast reply from 10\.66\.0\.1 \[/,
    )
    expect(ours.code).toBe(0)
    const nobody = await house.vnet(
      null,
      '--machine',
      'm',
      'arping',
      '-I',
      'vnet0',
      '-c',
      '1',
      '-w',
      '1',
      '10.66.0.9',
    )
    expect([nobody.stdout.includes('Received 0 response(s)'), nobody.code]).toEqual([true, 1])
  })

  it('tcpdump sees the same frames on both sides', also('tcpdump'), async () => {
    const command = ['tcpdump', '-n', '-e', '-l', '-c', '10', 'icmp or arp']
    const host = house.start(space, ...command.slice(0, 1), '-i', 'tap0', ...command.slice(1))
    const mine = house.start(
      null,
      'env',
      `XDG_RUNTIME_DIR=${house.folder}`,
      process.execPath,
      cli.file,
      ...['--machine', 'm', 'exec', '--'],
      ...command.slice(0, 1),
      ...['-i', 'vnet0'],
      ...command.slice(1),
    )
    const texts = ['', '']
    let listening = 0
    for (const [i, child] of [host, mine].entries()) {
      child.stdout!.setEncoding('utf8').on('data', (text: string) => (texts[i] += text))
      child
        .stderr!.setEncoding('utf8')
        .on('data', (text: string) => (listening += text.includes('listening on') ? 1 : 0))
    }
    await until(() => listening === 2)
    await house.inside(space, 'ping', '-c', '5', '-i', '0.05', '10.66.0.2')
    await until(() => host.exitCode !== null && mine.exitCode !== null)
    expect(frames(texts[0]!).length).toBe(10)
    expect(frames(texts[1]!)).toEqual(frames(texts[0]!))
  })

  it('a TAP that is deleted takes the carrier down; a new machine gets it anew', tap, async () => {
    await house.inside(space, 'ip', 'link', 'del', 'tap0')
    const carrier = async (): Promise<string> =>
      (await house.vnet(null, '--machine', 'm', 'ip', 'link', 'show', 'vnet0')).stdout
    await until(async () => (await carrier()).includes('NO-CARRIER'))
    expect(await carrier()).toContain('NO-CARRIER')
  })
})
