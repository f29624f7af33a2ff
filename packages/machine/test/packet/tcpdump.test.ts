import { localTransport, newProcess, programs, runProgram, tcpdump } from '@vnet/tools'
import { devGetByName } from '@vnet/netdev'
import { describe, expect, it } from 'vitest'
import { bootMachine } from '../../src/index.ts'

/** `tcpdump` beside other commands of a machine. */
function watch(line: string) {
  const machine = bootMachine({ wallClock: 1_700_000_000_000_000_000n })
  machine.run('insmod vnet backend=null')
  machine.run('ip link set vnet0 address 02:00:00:00:00:01')
  machine.run('ip link set vnet0 up')
  machine.run('ip addr add 10.0.0.1/24 dev vnet0')
  machine.run('sleep 5')
  const said = { stdout: '', stderr: '', exitCode: null as number | null }
  const process = newProcess(line.split(' '), {
    stdout: (text) => (said.stdout += String(text)),
    stderr: (text) => (said.stderr += text),
  })
  const running = runProgram(
    tcpdump,
    process,
    localTransport(machine.syscalls),
    (code) => (said.exitCode = code),
  )
  const interrupt = (): void => {
    running.interrupt()
    machine.kernel.runFor(0)
  }
  return { machine, said, interrupt }
}

describe('tcpdump on a machine', () => {
  it('shows what ping does, until Ctrl-C', () => {
    const { machine, said, interrupt } = watch('tcpdump -e -n -i vnet0 arp')
    const dev = devGetByName(machine.kernel, 'vnet0')!
    expect(dev.promiscuity).toBe(1)
    machine.run('ping -c 1 -W 1 10.0.0.2')
    interrupt()
    const lines = said.stdout.split('\n').filter((line) => line !== '')
    expect(lines.length).toBeGreaterThanOrEqual(1)
    for (const line of lines) {
      expect(line).toMatch(
        /^22:13:\d\d\.\d{6} 02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff, ethertype ARP \(0x0806\), length 42: Request who-has 10\.0\.0\.2 tell 10\.0\.0\.1, length 28$/,
      )
    }
    const count = `${lines.length} packet${lines.length === 1 ? '' : 's'}`
    expect(
      said.stderr.endsWith(`${count} captured\n${count} received by filter\n0 packets dropped by kernel\n`),
    ).toBe(true)
    expect([said.exitCode, dev.promiscuity]).toEqual([0, 0])
  })

  it('sees what goes through lo once, and ends by itself with -c', () => {
    const { machine, said } = watch('tcpdump -n -t -i lo -c 2 icmp')
    expect(machine.run('ping -c 1 127.0.0.1').exitCode).toBe(0)
    expect(said.exitCode).toBe(0)
    expect(said.stdout.replaceAll(/id \d+/g, 'id N').split('\n')).toEqual([
      'IP 127.0.0.1 > 127.0.0.1: ICMP echo request, id N, seq 1, length 64',
      'IP 127.0.0.1 > 127.0.0.1: ICMP echo reply, id N, seq 1, length 64',
      '',
    ])
  })

  it('ends when its device is taken away', () => {
    const { machine, said } = watch('tcpdump -n -i vnet0')
    machine.run('rmmod vnet')
    machine.kernel.runFor(0)
    expect(said.stderr).toContain('tcpdump: pcap_loop: The interface disappeared\n')
    expect(said.exitCode).toBe(1)
    expect(machine.kernel.violations).toEqual([])
  })

  it('leaves nothing when the machine is switched off', () => {
    const { machine } = watch('tcpdump -n -i vnet0')
    machine.poweroff()
    expect(machine.syscalls.open).toBe(0)
    expect(machine.kernel.violations).toEqual([])
  })

  it('is among the programs', () => {
    expect(programs['tcpdump']).toBe(tcpdump)
    expect(bootMachine().run('tcpdump -D').stdout).toBe(
      '1.any (Pseudo-device that captures on all interfaces) [Up, Running]\n2.lo [Up, Running, Loopback]\n',
    )
  })
})
