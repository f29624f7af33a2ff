import { describe, expect, it } from 'vitest'
import { createKernel, dmesg, type ModuleDefinition } from '@vnet/kernel'
import { syscallServer } from '@vnet/netlink'
import { deleteModule, initModule } from '@vnet/tools'
import { builtinModules, moduleName } from '../../src/builtin-modules.ts'
import type { ModuleSource } from '../../src/module-source.ts'
import { procModules } from '../../src/module-text.ts'
import { moduleCalls } from '../../src/sysc/modules.ts'
import { nullBackend } from '@vnet/backend'
import { calls } from '../helpers/calls.ts'

function setup(source: ModuleSource = builtinModules()) {
  const kernel = createKernel({ regionBytes: 1 << 20 })
  const server = syscallServer(kernel)
  for (const [op, handler] of moduleCalls(source)) server.register(op, handler)
  const insmod = (name: string, args = ''): number =>
    calls(server, (process) => initModule(process, name, args))
  const rmmod = (name: string): number => calls(server, (process) => deleteModule(process, name))
  return { kernel, server, insmod, rmmod }
}

describe('loading modules', () => {
  it('a module comes, is listed, and goes', () => {
    const { kernel, insmod, rmmod } = setup()
    insmod('/lib/modules/vnet.ko', 'tx_ring=64 backend=null')
    expect(kernel.modules.get('vnet')?.params['tx_ring']).toBe(64)
    expect(procModules(kernel)).toBe('vnet 16384 0 - Live 0x0000000000000000 (O)\n')
    rmmod('vnet')
    expect(procModules(kernel)).toBe('')
    expect(kernel.census.take()).toEqual([])
  })

  it.each([
    ['none', '', 'No such file or directory'],
    ['vnet', 'tx_ring=3', 'Invalid argument'],
    ['vnet', 'backend=tap:x', 'Invalid argument'],
  ])('%s %s: %s', (name, args, message) => {
    expect(() => setup().insmod(name, args)).toThrow(message)
  })

  it('twice is once too often', () => {
    const { insmod } = setup()
    insmod('vnet')
    expect(() => insmod('vnet')).toThrow('File exists')
  })

  it('needs the right to administrate, coming and going', () => {
    const { server, insmod } = setup()
    insmod('vnet', 'backend=null')
    const program = (what: typeof deleteModule) => () =>
      calls(server, (process) => what(process, 'vnet'), { capNetAdmin: false })
    expect(program((process, name) => initModule(process, name, ''))).toThrow('Operation not permitted')
    expect(program(deleteModule)).toThrow('Operation not permitted')
  })

  it('taints are logged and shown', () => {
    const { kernel, insmod } = setup()
    insmod('vnet', 'backend=null')
    expect(dmesg(kernel, { time: false })).toContain('vnet: loading out-of-tree module taints kernel.\n')
    expect(kernel.modules.tainted).toBe(4096)
  })

  it('removing what is not there is refused', () => {
    expect(() => setup().rmmod('vnet')).toThrow('No such file or directory')
    expect(() => setup().rmmod('x'.repeat(60))).toThrow('No such file or directory')
  })

  it('the program waits for a module that comes late', () => {
    const def: ModuleDefinition = { name: 'late', license: 'GPL', init: () => {}, exit: () => {} }
    let deliver: (() => void) | null = null
    const { kernel, server } = setup({
      find: (_name, done) => (deliver = () => done(def)),
      names: () => ['late'],
    })
    let result: number | null = null
    const program = (): number =>
      calls(
        server,
        function* (process) {
          result = yield* initModule(process, 'late', '')
          return result
        },
        { ns: 1e6 },
      )
    expect(program).toThrow('still waits')
    deliver!()
    kernel.runFor(0)
    expect(result).toBe(0)
    expect(kernel.modules.get('late')?.state).toBe('live')
  })

  it('what is there and no module is refused with a line in the log', () => {
    const { kernel, insmod } = setup({ find: (_name, done) => done(null, 'no ELF'), names: () => [] })
    expect(() => insmod('broken')).toThrow('Exec format error')
    expect(dmesg(kernel, { time: false })).toContain('broken: no ELF\n')
  })

  it("a host's cable is asked for by its name", () => {
    const asked: string[] = []
    const { insmod, kernel } = setup(
      builtinModules({
        cable: (spec) => {
          asked.push(spec)
          return nullBackend()
        },
      }),
    )
    insmod('vnet', 'backend=tap:t0')
    expect(asked).toEqual(['tap:t0'])
    kernel.modules.rmmod('vnet')
  })

  it('names lose folder and end', () => {
    expect(moduleName('/lib/modules/my-mod.ko')).toBe('my_mod')
    expect(moduleName('vnet')).toBe('vnet')
  })
})
