import { describe, expect, it } from 'vitest'
import { Errno } from '../src/errno.ts'
import { createKernel } from '../src/kernel.ts'
import type { Kernel } from '../src/kernel.ts'
import type { ModuleContext, ModuleDefinition } from '../src/module.ts'
import { dmesg } from '../src/printk.ts'
import { timerDelete, timerSetup, modTimer } from '../src/timer.ts'
import type { TimerList } from '../src/timer.ts'

function vnet(over: Partial<ModuleDefinition> = {}): ModuleDefinition {
  return {
    name: 'vnet',
    version: '0.7',
    license: 'GPL',
    author: 'Karan Gandhi',
    description: 'Virtual Ethernet network driver (vnet0)',
    params: {
      tx_ring: { type: 'uint', default: 64, description: 'TX descriptors', min: 2, max: 4096 },
      fill: { type: 'bool', default: false, description: 'fill the ring' },
      label: { type: 'charp', default: '', description: 'any text' },
    },
    init() {},
    exit() {},
    ...over,
  }
}

const log = (kernel: Kernel) => dmesg(kernel, { time: false })

function refused(fn: () => unknown): Errno {
  try {
    fn()
  } catch (error) {
    if (error instanceof Errno) return error
    throw error
  }
  throw new Error('was accepted')
}

describe('insmod', () => {
  it('runs init in process context, tagged with the module, and taints the kernel once', () => {
    const kernel = createKernel()
    let during: string | null = null
    kernel.modules.insmod(vnet({ init: (ctx) => (during = ctx.kernel.currentModule) }))
    expect(during).toBe('vnet')
    expect(kernel.currentModule).toBe(null)
    kernel.modules.rmmod('vnet')
    kernel.modules.insmod(vnet())
    expect(log(kernel)).toBe('vnet: loading out-of-tree module taints kernel.\n')
    expect(kernel.modules.tainted).toBe(4096)
  })

  it('names a licence that is not free, and says nothing about what is in the tree', () => {
    const kernel = createKernel()
    kernel.modules.insmod(vnet({ intree: true }))
    expect(log(kernel)).toBe('')
    kernel.modules.insmod(vnet({ name: 'other', intree: true, license: 'Proprietary' }))
    expect(log(kernel)).toBe("other: module license 'Proprietary' taints kernel.\n")
    expect(kernel.modules.tainted).toBe(1)
  })

  it('refuses a module that is loaded with EEXIST', () => {
    const kernel = createKernel()
    kernel.modules.insmod(vnet())
    expect(refused(() => kernel.modules.insmod(vnet()))).toMatchObject({
      code: 'EEXIST',
      message: 'File exists',
    })
  })

  it('hands the parameters to init, defaults where none is given', () => {
    const kernel = createKernel()
    const loaded = kernel.modules.insmod(vnet(), ['tx-ring=0x80', 'fill', 'label="two words"'])
    expect(loaded.params).toEqual({ tx_ring: 128, fill: true, label: 'two words' })
    expect(loaded.state).toBe('live')
  })

  it('ignores an unknown parameter and says so', () => {
    const kernel = createKernel()
    kernel.modules.insmod(vnet({ intree: true }), ['nosuch=1', 'tx_ring=8'])
    expect(log(kernel)).toBe("vnet: unknown parameter 'nosuch' ignored\n")
    expect(kernel.modules.get('vnet')?.params.tx_ring).toBe(8)
  })

  it('ignores what stands after -- and says so', () => {
    const kernel = createKernel()
    kernel.modules.insmod(vnet({ intree: true }), ['--', 'tx_ring=8', 'x'])
    expect(log(kernel)).toBe("vnet: parameters 'tx_ring=8 x' after `--' ignored\n")
    expect(kernel.modules.get('vnet')?.params.tx_ring).toBe(64)
  })

  const invalid: readonly (readonly [string, string, string])[] = [
    ['tx_ring=abc', 'EINVAL', "vnet: `abc' invalid for parameter `tx_ring'\n"],
    ['tx_ring=', 'EINVAL', "vnet: `' invalid for parameter `tx_ring'\n"],
    ['tx_ring', 'EINVAL', "vnet: `' invalid for parameter `tx_ring'\n"],
    ['tx_ring=1', 'EINVAL', "vnet: `1' invalid for parameter `tx_ring'\n"],
    ['tx_ring=4097', 'EINVAL', "vnet: `4097' invalid for parameter `tx_ring'\n"],
    ['tx_ring=99999999999', 'ERANGE', "vnet: `99999999999' invalid for parameter `tx_ring'\n"],
    ['fill=maybe', 'EINVAL', "vnet: `maybe' invalid for parameter `fill'\n"],
    [
      `label=${'x'.repeat(1025)}`,
      'ENOSPC',
      `vnet: \`${'x'.repeat(1025)}' too large for parameter \`label'\n`,
    ],
  ]
  for (const [arg, code, line] of invalid) {
    it(`refuses ${arg.slice(0, 20)} with ${code}, logs it and does not run init`, () => {
      const kernel = createKernel()
      let ran = false
      const def = vnet({ intree: true, init: () => (ran = true) })
      expect(refused(() => kernel.modules.insmod(def, [arg])).code).toBe(code)
      expect(log(kernel)).toBe(line)
      expect(ran).toBe(false)
      expect(kernel.modules.list()).toEqual([])
    })
  }

  it('asks the parameter’s own check', () => {
    const kernel = createKernel()
    const check = (value: unknown) => (value === 3 ? 'three is not a power of two' : undefined)
    const def = vnet({ params: { n: { type: 'int', default: 2, description: '', check } } })
    expect(refused(() => kernel.modules.insmod(def, ['n=3']))).toMatchObject({
      code: 'EINVAL',
      extack: 'three is not a power of two',
    })
    expect(kernel.modules.insmod(def, ['n=4']).params.n).toBe(4)
  })

  it('LOG-02 switches debug sites on with dyndbg=, also those init makes', () => {
    const kernel = createKernel()
    const init = (ctx: ModuleContext) => {
      const at = { module: 'vnet', file: 'vnet.ts', func: 'f', format: 'hello\n' }
      ctx.kernel.dyndbg.site({ ...at, line: 1 }).print()
      ctx.kernel.dyndbg.site({ ...at, line: 2 }).print()
    }
    kernel.modules.insmod(vnet({ intree: true, init }), ['dyndbg="line 2 +pl"'])
    expect(log(kernel)).toBe('2: hello\n')
    kernel.modules.rmmod('vnet')
    expect(kernel.dyndbg.sites).toEqual([])
    kernel.modules.insmod(vnet({ intree: true, init }))
    expect(log(kernel)).toBe('2: hello\n')
  })

  it('LOG-02 loads with a bad dyndbg= and logs why', () => {
    const kernel = createKernel()
    kernel.modules.insmod(vnet({ intree: true }), ['dyndbg=+z'])
    expect(log(kernel)).toBe("dyndbg: unknown flag 'z' at character 1\n")
    expect(kernel.modules.get('vnet')).toBeDefined()
  })
})

describe('an init that fails', () => {
  it('LIFE-02 passes its errno through and leaves no module', () => {
    const kernel = createKernel()
    const init = () => {
      throw new Errno('ENOMEM')
    }
    expect(refused(() => kernel.modules.insmod(vnet({ init }))).code).toBe('ENOMEM')
    expect(kernel.modules.get('vnet')).toBeUndefined()
    expect(kernel.currentModule).toBe(null)
    expect(kernel.modules.insmod(vnet()).state).toBe('live')
  })

  it('LIFE-11 reports by name what it left behind, and the errno still gets out', () => {
    const kernel = createKernel({ strict: false })
    const init = (ctx: ModuleContext) => {
      modTimer(
        timerSetup(ctx.kernel, () => {}, 'vnet_tick'),
        100,
      )
      throw new Errno('ENODEV')
    }
    expect(refused(() => kernel.modules.insmod(vnet({ init }))).code).toBe('ENODEV')
    expect(kernel.violations.map((v) => [v.rule, v.message])).toEqual([
      ['LIFE-11', 'module vnet failed in init and left behind: timer vnet_tick'],
    ])
  })
})

describe('rmmod', () => {
  it('says ENOENT and a sentence for a module that is not loaded', () => {
    const kernel = createKernel()
    expect(refused(() => kernel.modules.rmmod('vnet'))).toMatchObject({
      code: 'ENOENT',
      message: 'Module vnet is not currently loaded',
    })
  })

  it('refuses while somebody holds a reference', () => {
    const kernel = createKernel()
    kernel.modules.insmod(vnet())
    expect(kernel.modules.tryModuleGet('vnet')).toBe(true)
    expect(kernel.modules.get('vnet')?.refcnt).toBe(1)
    expect(refused(() => kernel.modules.rmmod('vnet'))).toMatchObject({
      code: 'EWOULDBLOCK',
      message: 'Module vnet is in use',
    })
    kernel.modules.modulePut('vnet')
    kernel.modules.rmmod('vnet')
    expect(kernel.modules.tryModuleGet('vnet')).toBe(false)
  })

  it('refuses while another module depends on it, which loads only after it', () => {
    const kernel = createKernel()
    const upper = vnet({ name: 'upper', depends: ['vnet'] })
    expect(refused(() => kernel.modules.insmod(upper)).code).toBe('ENOENT')
    kernel.modules.insmod(vnet())
    kernel.modules.insmod(upper)
    expect(kernel.modules.list().map((m) => [m.name, m.refcnt, m.holders])).toEqual([
      ['upper', 0, []],
      ['vnet', 1, ['upper']],
    ])
    expect(refused(() => kernel.modules.rmmod('vnet')).message).toBe('Module vnet is in use by: upper')
    kernel.modules.rmmod('upper')
    kernel.modules.rmmod('vnet')
    expect(kernel.modules.list()).toEqual([])
  })

  it('refuses a module without exit, and one inside its own exit', () => {
    const kernel = createKernel()
    const stuck: ModuleDefinition = { name: 'stuck', license: 'GPL', init() {} }
    kernel.modules.insmod(stuck)
    expect(refused(() => kernel.modules.rmmod('stuck')).code).toBe('EBUSY')
    let inner: Errno | undefined
    kernel.modules.insmod(vnet({ exit: () => (inner = refused(() => kernel.modules.rmmod('vnet'))) }))
    kernel.modules.rmmod('vnet')
    expect(inner?.code).toBe('EBUSY')
  })

  it('LIFE-11 reports by name what exit left behind', () => {
    const kernel = createKernel()
    const init = (ctx: ModuleContext) => {
      modTimer(
        timerSetup(ctx.kernel, () => {}, 'vnet_tick'),
        100,
      )
    }
    kernel.modules.insmod(vnet({ init }))
    expect(() => kernel.modules.rmmod('vnet')).toThrow(
      'module vnet was removed and left behind: timer vnet_tick',
    )
    expect(kernel.violations[0]?.rule).toBe('LIFE-11')
  })

  it('LIFE-11 is content when exit undoes what init did', () => {
    const kernel = createKernel()
    kernel.modules.insmod(
      vnet({
        init(ctx) {
          ctx.data = timerSetup(ctx.kernel, () => {}, 'vnet_tick')
          modTimer(ctx.data as TimerList, 100)
        },
        exit(ctx) {
          timerDelete(ctx.data as TimerList)
        },
      }),
    )
    kernel.modules.rmmod('vnet')
    expect(kernel.violations).toEqual([])
  })

  it('LIFE-05 reports a reference given back that nobody took', () => {
    const kernel = createKernel({ strict: false })
    kernel.modules.insmod(vnet())
    kernel.modules.modulePut('vnet')
    expect(kernel.violations[0]?.rule).toBe('LIFE-05')
    expect(kernel.modules.get('vnet')?.refcnt).toBe(0)
  })
})

describe('modinfo', () => {
  it('prints the fields in the order and columns of the real one', () => {
    expect(createKernel().modules.modinfoText(vnet())).toBe(
      'filename:       /lib/modules/vnet.ko\n' +
        'version:        0.7\n' +
        'description:    Virtual Ethernet network driver (vnet0)\n' +
        'author:         Karan Gandhi\n' +
        'license:        GPL\n' +
        'depends:        \n' +
        'name:           vnet\n' +
        'parm:           tx_ring:TX descriptors (uint)\n' +
        'parm:           fill:fill the ring (bool)\n' +
        'parm:           label:any text (charp)\n',
    )
  })
})
