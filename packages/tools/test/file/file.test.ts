import { describe, expect, it } from 'vitest'
import { localTransport, newProcess, programs, runProgram } from '../../src/index.ts'
import { bootMachine } from '../elsewhere.ts'
import { run, runOver, words } from '../run.ts'

const machine = bootMachine({ name: 'box', wallClock: 1_795_337_699_000_000_000n })
machine.run('insmod vnet.ko backend=null queues=2')

describe('--help', () => {
  it.each(['cat', 'dmesg', 'insmod', 'ls', 'lsmod', 'modinfo', 'readlink', 'rmmod', 'tee', 'uname'])(
    'of %s says how it is used',
    (name) => {
      const { stdout, stderr, exitCode } = machine.run(`${name} --help`)
      expect([stderr, exitCode]).toEqual(['', 0])
      expect(stdout).toMatch(new RegExp(`^Usage: ${name}\\b.*\\n\\n[^]+\\n$`))
    },
  )
  it('elsewhere is a word or an option like any other', () => {
    expect(machine.run('cat -x --help').stderr).toBe("cat: invalid option -- 'x'\n")
  })
})

describe('programs for files', () => {
  it.each([
    ['cat /sys/class/net/vnet0/operstate /sys/class/net/vnet0/mtu', 'down\n1500\n', '', 0],
    ['cat /sys/class/net/vnet0/speed', '', 'cat: read error: Invalid argument\n', 1],
    ['cat /nosuch', '', "cat: can't open '/nosuch': No such file or directory\n", 1],
    [
      'cat /nosuch /proc/sys/net/ipv4/ip_forward',
      '0\n',
      "cat: can't open '/nosuch': No such file or directory\n",
      1,
    ],
    ['cat -x', '', "cat: invalid option -- 'x'\n", 1],
    ['ls /sys/class/net', 'lo\nvnet0\n', '', 0],
    ['ls /sys/class/net/vnet0/queues', 'rx-0\nrx-1\ntx-0\ntx-1\n', '', 0],
    ['ls -d /sys/class/net', '/sys/class/net\n', '', 0],
    [
      'ls -l /sys/class/net/vnet0/device',
      '',
      'ls: /sys/class/net/vnet0/device: No such file or directory\n',
      1,
    ],
    ['ls /nosuch', '', 'ls: /nosuch: No such file or directory\n', 1],
    ['readlink -f /sys/class/net/vnet0', '/sys/devices/virtual/net/vnet0\n', '', 0],
    ['readlink -f /sys/class/net/vnet0/subsystem/../net/lo', '/sys/devices/virtual/net/lo\n', '', 0],
    ['readlink -n /sys/class/net/vnet0', '../../devices/virtual/net/vnet0', '', 0],
    ['readlink /sys', '', '', 1],
    ['readlink -f /sys/class/net/eth9', '', '', 1],
    ['readlink', '', 'readlink: missing operand\n', 1],
    ['uname', 'Linux\n', '', 0],
    ['uname -n', 'box\n', '', 0],
    ['uname -q', '', "uname: invalid option -- 'q'\n", 1],
    ['uname x', '', "uname: extra operand 'x'\n", 1],
    ['hostname', 'box\n', '', 0],
    ['sleep x', '', "sleep: invalid time interval 'x'\n", 1],
  ])('%s', (line, stdout, stderr, exitCode) => {
    expect(machine.run(line)).toEqual({ stdout, stderr, exitCode })
  })

  it('ls -l tells kind, mode and where a link points', () => {
    const { stdout } = machine.run('ls -l /sys/class/net/vnet0')
    expect(stdout).toMatch(/^-rw-r--r-- {4}1 root {5}root {10}4096 mtu$/m)
    expect(stdout).toMatch(/^drwxr-xr-x .* queues$/m)
    expect(stdout).toMatch(/^lrwxrwxrwx .* subsystem -> .*class\/net$/m)
    expect(machine.run('uname -a').stdout).toMatch(/^Linux box \S+ #1 .* x86_64 GNU\/Linux\n$/)
  })

  it('tee writes its input into a file and to the output, and says what cannot be', () => {
    const tee = (path: string) => run(machine.kernel, ['tee', path], { stdin: '1400\n' })
    expect(tee('/sys/class/net/vnet0/mtu')).toEqual({ stdout: '1400\n', stderr: '', exitCode: 0 })
    expect(machine.run('cat /sys/class/net/vnet0/mtu').stdout).toBe('1400\n')
    expect(tee('/sys/class/net/vnet0/operstate').exitCode).toBe(1)
    expect(tee('/sys/class/net/vnet0/operstate').stderr).toBe(
      'tee: /sys/class/net/vnet0/operstate: Permission denied\n',
    )
    expect(run(machine.kernel, ['cat'], { stdin: 'hello' }).stdout).toBe('hello')
  })

  it('sleep lets the machine’s time pass', () => {
    const before = machine.kernel.clock.ktimeGet()
    expect(machine.run('sleep 1.5 1s').exitCode).toBe(0)
    expect(machine.kernel.clock.ktimeGet() - before).toBe(2.5e9)
  })
})

describe('programs for modules', () => {
  it('load, list, describe and remove', () => {
    const box = bootMachine()
    expect(box.run('insmod vnet.ko rx_ring=512 backend=null')).toEqual({
      stdout: '',
      stderr: '',
      exitCode: 0,
    })
    expect(box.run('cat /sys/module/vnet/parameters/rx_ring').stdout).toBe('512\n')
    expect(box.run('lsmod').stdout).toBe(
      'Module                  Size  Used by\nvnet                   16384  0\n',
    )
    expect(box.run('modinfo vnet').stdout).toMatch(/^version: {8}\S+\nname: {11}vnet\nparm: /)
    expect(box.run('rmmod vnet')).toEqual({ stdout: '', stderr: '', exitCode: 0 })
    expect(box.run('lsmod').stdout).toBe('Module                  Size  Used by\n')
  })

  it.each([
    ['insmod', 'insmod: ERROR: missing filename.\n'],
    ['insmod nosuch.ko', 'insmod: ERROR: could not load module nosuch.ko: No such file or directory\n'],
    ['insmod vnet.ko', 'insmod: ERROR: could not insert module vnet.ko: File exists\n'],
    ['rmmod', 'rmmod: ERROR: missing module name.\n'],
    ['rmmod nosuch', 'rmmod: ERROR: Module nosuch is not currently loaded\n'],
    ['modinfo', 'modinfo: ERROR: missing module or filename.\n'],
    ['modinfo nosuch', 'modinfo: ERROR: Module nosuch not found.\n'],
  ])('%s ends with 1', (line, stderr) => {
    expect(machine.run(line)).toEqual({ stdout: '', stderr, exitCode: 1 })
  })

  it('a parameter that is wrong is refused', () => {
    const { stderr, exitCode } = bootMachine().run('insmod vnet.ko rx_ring=3')
    expect([stderr, exitCode]).toEqual([
      'insmod: ERROR: could not insert module vnet.ko: Invalid parameters\n',
      1,
    ])
  })
})

describe('a user without rights', () => {
  it('looks, and changes neither modules nor the log', () => {
    const box = bootMachine()
    box.run('insmod vnet.ko backend=null')
    const transport = localTransport(box.syscalls, { capNetAdmin: false })
    const ask = (line: string) => runOver(transport, words(line), undefined, { capNetAdmin: false })
    expect(ask('lsmod').stdout).toContain('vnet ')
    expect(ask('rmmod vnet')).toEqual({
      stdout: '',
      stderr: 'rmmod: ERROR: could not remove module vnet: Operation not permitted\n',
      exitCode: 1,
    })
    expect(ask('insmod vnet.ko').stderr).toBe(
      'insmod: ERROR: could not insert module vnet.ko: Operation not permitted\n',
    )
    expect(ask('dmesg').exitCode).toBe(0)
    expect(ask('dmesg -C').stderr).toBe('dmesg: clear kernel buffer failed: Operation not permitted\n')
    expect(ask('poweroff').stderr).toBe('poweroff: Operation not permitted\n')
  })
})

describe('dmesg', () => {
  it('shows times since boot, none, or dates; levels; and forgets', () => {
    const box = bootMachine({ wallClock: 1_795_337_699_000_000_000n })
    box.kernel.runFor(12.5e9)
    box.run('insmod vnet.ko backend=null')
    expect(box.run('dmesg').stdout).toMatch(/^\[ {3}12\.500000\] vnet: registered device vnet0$/m)
    expect(box.run('dmesg -t').stdout).toMatch(/^vnet: registered device vnet0$/m)
    expect(box.run('dmesg -T').stdout).toMatch(
      /^\[Sun Nov 22 08:55:11 2026\] vnet: registered device vnet0$/m,
    )
    expect(box.run('dmesg -x -t').stdout).toMatch(/^kern {2}:info {2}: vnet: registered device vnet0$/m)
    expect(box.run('dmesg -t -l warn').stdout).toBe('vnet: loading out-of-tree module taints kernel.\n')
    expect(box.run('dmesg --level=nosuch')).toEqual({
      stdout: '',
      stderr: "dmesg: unknown level 'nosuch'\n",
      exitCode: 1,
    })
    const all = box.run('dmesg').stdout
    expect([box.run('dmesg -c').stdout, box.run('dmesg').stdout]).toEqual([all, ''])
    box.run('ip link set vnet0 up')
    expect(box.run('dmesg -t').stdout).toContain('vnet0: opened\n')
    box.run('dmesg -C')
    expect(box.run('dmesg').stdout).toBe('')
  })

  it('-w goes on with what comes, until Ctrl-C', () => {
    const box = bootMachine()
    let text = ''
    const codes: number[] = []
    const process = newProcess(['dmesg', '-w', '-t'], { stdout: (out) => (text += out as string) })
    const running = runProgram(programs['dmesg']!, process, localTransport(box.syscalls), (code) =>
      codes.push(code),
    )
    text = ''
    box.run('insmod vnet.ko backend=null')
    box.run('ip link set vnet0 up')
    box.kernel.runFor(1e6)
    expect(text).toContain('vnet: registered device vnet0\nvnet0: opened\n')
    expect(codes).toEqual([])
    running.interrupt()
    expect(codes).toEqual([0])
  })
})
