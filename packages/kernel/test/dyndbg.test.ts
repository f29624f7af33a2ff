import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Errno } from '../src/errno.ts'
import { createKernel } from '../src/kernel.ts'
import type { Kernel } from '../src/kernel.ts'
import { dmesg } from '../src/printk.ts'

const TX = 'vnet: TX %s proto=0x%04x src=%pM dst=%pM len=%u\n'
const SHORT = 'vnet: TX %s short frame len=%u\n'

function withSites(): Kernel {
  const kernel = createKernel()
  const file = '/src/p7/vnet_main.c'
  const module = 'vnet_main'
  kernel.dyndbg.site({ module, file, line: 537, func: 'vnet_start_xmit', format: TX })
  kernel.dyndbg.site({ module, file, line: 541, func: 'vnet_start_xmit', format: SHORT })
  kernel.dyndbg.site({ module, file, line: 700, func: 'vnet_poll', format: 'poll "%d"\tdone\n' })
  kernel.dyndbg.site({
    module: 'drm',
    file: 'drivers/drm/drm.c',
    line: 9,
    func: 'f',
    format: 'x',
    class: 'CORE',
  })
  return kernel
}

/** The lines whose `p` flag is set. */
const on = (kernel: Kernel) => kernel.dyndbg.sites.filter((s) => s.enabled).map((s) => s.line)

function refused(kernel: Kernel, text: string): Errno {
  try {
    kernel.dyndbg.query(text)
  } catch (error) {
    if (error instanceof Errno) return error
    throw error
  }
  throw new Error(`accepted: ${text}`)
}

describe('the control file', () => {
  it('LOG-02 shows one line a site, as the real one', () => {
    const kernel = withSites()
    kernel.dyndbg.query('module vnet_main func vnet_start_xmit +p')
    expect(kernel.dyndbg.controlText()).toBe(
      '# filename:lineno [module]function flags format\n' +
        '/src/p7/vnet_main.c:537 [vnet_main]vnet_start_xmit =p "vnet: TX %s proto=0x%04x src=%pM dst=%pM len=%u\\n"\n' +
        '/src/p7/vnet_main.c:541 [vnet_main]vnet_start_xmit =p "vnet: TX %s short frame len=%u\\n"\n' +
        '/src/p7/vnet_main.c:700 [vnet_main]vnet_poll =_ "poll "%d"\\tdone\\n"\n' +
        'drivers/drm/drm.c:9 [drm]f =_ "x" class:CORE\n',
    )
  })

  it('LOG-02 lists a place that is asked for twice once', () => {
    const kernel = createKernel()
    const init = { module: 'm', file: 'f.c', line: 1, func: 'f', format: 'x' }
    expect(kernel.dyndbg.site(init)).toBe(kernel.dyndbg.site(init))
    expect(kernel.dyndbg.sites.length).toBe(1)
  })
})

describe('queries', () => {
  const table: readonly (readonly [string, number, readonly number[]])[] = [
    ['module vnet_main +p', 3, [537, 541, 700]],
    ['module vnet* +p', 3, [537, 541, 700]],
    ['module vnet_mai? +p', 3, [537, 541, 700]],
    ['module vnet +p', 0, []],
    ['+p', 3, [537, 541, 700]],
    ['file vnet_main.c +p', 3, [537, 541, 700]],
    ['file /src/p7/vnet_main.c +p', 3, [537, 541, 700]],
    ['file *p7/* +p', 3, [537, 541, 700]],
    ['file vnet_main.c:vnet_poll +p', 1, [700]],
    ['file vnet_main.c:*poll +p', 1, [700]],
    ['file vnet_main.c:530-540 +p', 1, [537]],
    ['file vnet_main.c:541 +p', 1, [541]],
    ['func vnet_poll +p', 1, [700]],
    ['func *xmit line 541 +p', 1, [541]],
    ['line 537-541 +p', 2, [537, 541]],
    ['line 538- +p', 2, [541, 700]],
    ['line -541 +p', 2, [537, 541]],
    ['line 0 +p', 3, [537, 541, 700]],
    ['format short +p', 1, [541]],
    ['format "short frame" +p', 1, [541]],
    ["format 'TX %s' +p", 2, [537, 541]],
    ['format "^vnet: TX" +p', 2, [537, 541]],
    ['format ^TX +p', 0, []],
    ['format short\\040frame +p', 1, [541]],
    ['format \\"%d\\" +p', 1, [700]],
    ['format sh*rt +p', 0, []],
    ['class CORE +p', 1, [9]],
    ['module drm +p', 0, []],
    ['module drm class NOSUCH +p', 0, []],
    ['func vnet_poll +p; line 541 +p', 2, [541, 700]],
    ['func vnet_poll +p\nline 541 +p\n', 2, [541, 700]],
    ['# a comment\nfunc vnet_poll +p # and another', 1, [700]],
    ['  func\tvnet_poll   +p  ', 1, [700]],
    ['', 0, []],
    [' ; ;\n', 0, []],
    ['module vnet_main +p; line 541 -p', 4, [537, 700]],
    ['module vnet_main =pl; func vnet_poll =_', 4, [537, 541]],
    ['module vnet_main +_', 3, []],
  ]
  for (const [query, matched, lines] of table) {
    it(`LOG-02 ${JSON.stringify(query)} matches ${matched}`, () => {
      const kernel = withSites()
      expect(kernel.dyndbg.query(query)).toBe(matched)
      expect(on(kernel)).toEqual(lines)
    })
  }

  const errors: readonly (readonly [string, string])[] = [
    ['module vnet_main', 'bad flag-op v, at start of vnet_main at character 7'],
    ['module vnet_main +q', "unknown flag 'q' at character 18"],
    ['modul vnet_main +p', 'unknown keyword "modul" at character 0'],
    ['module +p', 'expecting pairs of match-spec <value> at character 0'],
    ['module a module b +p', 'match-spec:module val:a overridden by b at character 16'],
    ['format "open +p', 'unclosed quote at character 7'],
    ['line abc +p', 'bad line-number: abc at character 5'],
    ['line 5-x +p', 'bad line-number: x at character 7'],
    ['line 9-5 +p', 'last-line:5 < 1st-line:9 at character 5'],
    ['line 1 line 2 +p', 'match-spec: line used 2x at character 12'],
    ['line 4294967296 +p', 'bad line-number: 4294967296 at character 5'],
    ['file a:b func c +p', 'match-spec:func val:b overridden by c at character 14'],
    ['module a file b func c line 1 format x +p', 'too many words, legal max <=9 at character 37'],
    ['func a +p; func b', 'bad flag-op b, at start of b at character 16'],
  ]
  for (const [query, message] of errors) {
    it(`LOG-02 refuses ${JSON.stringify(query)} and says where`, () => {
      expect(refused(withSites(), query)).toMatchObject({ code: 'EINVAL', message })
    })
  }

  it('LOG-02 a bad query does not stop the others', () => {
    const kernel = withSites()
    refused(kernel, 'func vnet_poll +p; nonsense; line 541 +p')
    expect(on(kernel)).toEqual([541, 700])
  })

  it('LOG-02 refuses more than a page', () => {
    expect(refused(withSites(), '#'.repeat(4097)).code).toBe('E2BIG')
  })

  it('LOG-02 any text is either run or refused with an Errno', () => {
    const word = fc.constantFrom(
      'module',
      'func',
      'line',
      'format',
      'file',
      '+p',
      '=_',
      '-pfl',
      '"',
      "'",
      '1-',
      ';',
      '\n',
      '#',
      'a*',
      '\\0',
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.string({ maxLength: 4 })), { maxLength: 12 }), (words) => {
        const kernel = withSites()
        try {
          kernel.dyndbg.query(words.join(' '))
        } catch (error) {
          expect(error).toBeInstanceOf(Errno)
        }
      }),
      { numRuns: 500 },
    )
  })
})

describe('a site', () => {
  it('LOG-02 prints when it is on, at debug level, and nothing when off', () => {
    const kernel = createKernel()
    const site = kernel.dyndbg.site({ module: 'm', file: 'f.c', line: 1, func: 'f', format: 'len=%u\n' })
    site.print(1)
    kernel.dyndbg.query('+p')
    site.print(2)
    kernel.dyndbg.query('-p')
    site.print(3)
    expect(kernel.log.records.map((r) => [r.level, r.text])).toEqual([[7, 'len=2']])
  })

  const prefixes = [
    ['+p', 'hi'],
    ['+pm', 'mod: hi'],
    ['+pmfl', 'mod:fun:7: hi'],
    ['+pmfslt', '[1] mod:fun:dir/f.c:7: hi'],
    ['+pt', '[1] hi'],
  ] as const
  for (const [flags, text] of prefixes) {
    it(`LOG-02 with ${flags} prints ${JSON.stringify(text)}`, () => {
      const kernel = createKernel()
      const site = kernel.dyndbg.site({ module: 'mod', file: 'dir/f.c', line: 7, func: 'fun', format: 'hi' })
      kernel.dyndbg.query(flags)
      site.print()
      expect(dmesg(kernel, { time: false })).toBe(text + '\n')
    })
  }

  it('LOG-02 shows its flags in the control file order, whatever order they were given in', () => {
    const kernel = createKernel()
    const site = kernel.dyndbg.site({ module: 'm', file: 'f.c', line: 1, func: 'f', format: 'x' })
    kernel.dyndbg.query('+tlfmp')
    expect(site.flags).toBe('pmflt')
    kernel.dyndbg.query('-ml')
    expect(site.flags).toBe('pft')
  })
})
