import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accounts } from '@vnet/backend'
import { createKernel } from '@vnet/kernel'
import { libc } from '@vnet/linux'
import { describe, expect, it } from 'vitest'
import { MAX_FRAME_BYTES } from '../src/frame-codec.ts'
import { unixDgram } from '../src/unix-dgram.ts'
import { numbered, send, StubCard, until } from '../../../test/lib/stub-card.ts'

function noLinux(): string | false {
  try {
    libc()
    return false
  } catch (error) {
    console.warn(`skipped: ${(error as Error).message}`)
    return (error as Error).message
  }
}

describe.skipIf(noLinux())('a datagram cable over Unix sockets', () => {
  it('carries frames both ways, waits when the peer is slow, and counts a peer that is gone', async () => {
    const kernel = createKernel({ clock: 'real' })
    const folder = mkdtempSync(join(tmpdir(), 'vnet-dgram-'))
    const [a, b] = [join(folder, 'a'), join(folder, 'b')]
    const here = unixDgram(kernel, { local: a, remote: b })
    const [hc, tc] = [new StubCard(), new StubCard()]
    here.attach(hc)
    send(here, numbered(0))
    expect(here.stats.txNoPeer).toBe(1)

    let there = unixDgram(kernel, { local: b, remote: a })
    there.attach(tc)
    expect(() => unixDgram(kernel, { local: b, remote: a })).toThrow(/is taken by another program/)
    let sent = 0
    while (send(here, numbered(sent, 1514))) sent++
    expect(sent).toBeGreaterThan(0)
    await until(() => hc.writables === 1 && tc.frames.length === sent, 'room again')
    send(here, numbered(1, MAX_FRAME_BYTES))
    send(there, numbered(7))
    await until(() => hc.frames.length === 1 && tc.frames.length === sent + 1, 'the others')
    expect(tc.frames.at(-1)).toEqual(numbered(1, MAX_FRAME_BYTES))

    there.close()
    send(here, numbered(2))
    expect(here.stats.txNoPeer).toBe(2)
    there = unixDgram(kernel, { local: b, remote: a })
    there.attach(tc)
    send(here, numbered(3))
    await until(() => tc.frames.length === sent + 2, 'the peer is back')
    expect(accounts(here).problems).toEqual([])
    here.close()
    there.close()
    rmSync(folder, { recursive: true })
    expect(kernel.mem.allocated).toBe(0)
    kernel.shutdown()
  })

  it('refuses a path no socket can have', () => {
    expect(() => unixDgram(createKernel(), { local: '', remote: 'x' })).toThrow(/1 to 103 bytes/)
  })
})
