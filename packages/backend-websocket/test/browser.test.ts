import { fileURLToPath } from 'node:url'
import { createContext, runInContext } from 'node:vm'
import { build } from 'esbuild'
import { createKernel } from '@vnet/kernel'
import { describe, expect, it } from 'vitest'
import { webSocketClient } from '../src/browser.ts'

describe('the client in a browser', () => {
  it('is bundled without anything of Node, and connects', async () => {
    const result = await build({
      entryPoints: [fileURLToPath(new URL('../src/browser.ts', import.meta.url))],
      bundle: true,
      write: false,
      platform: 'browser',
      format: 'iife',
      globalName: 'cable',
      conditions: ['@vnet/source'],
      logLevel: 'silent',
    })
    const called: string[] = []
    class Page {
      constructor(url: string) {
        called.push(url)
      }
    }
    const page = createContext({ URL, WebSocket: Page, kernel: createKernel(), setTimeout, clearTimeout })
    runInContext(
      `${result.outputFiles[0]!.text}; cable.webSocketClient(kernel, 'wss://relay/x', { token: 'a b' })`,
      page,
    )
    expect(called).toEqual(['wss://relay/x?token=a+b'])
  })

  it.skipIf('WebSocket' in globalThis)('says so where there is no WebSocket', () => {
    expect(() => webSocketClient(createKernel(), 'ws://x/')).toThrow(
      expect.objectContaining({ code: 'EOPNOTSUPP' }),
    )
  })
})
