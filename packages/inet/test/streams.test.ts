import { createKernel } from '@vnet/kernel'
import { formatFrame, arpRequest } from '@vnet/wire'
import { describe, expect, it } from 'vitest'
import { netDeviceStreams } from '../src/index.ts'
import { Host, MAC_A, MAC_B, makeDev, receive } from './helpers.ts'

/** What the tcpip package calls a tap interface, as far as a network card needs it. */
interface TapInterface {
  readonly mac?: string
  readonly readable: ReadableStream<Uint8Array>
  readonly writable: WritableStream<Uint8Array>
}

describe('netDeviceStreams', () => {
  it('lets another stack, behind streams, be asked by ours', async () => {
    const host = new Host()
    const kernel = createKernel()
    const card = makeDev(kernel, MAC_B)
    host.dev.priv.onFrame = (frame) => receive(card, frame)
    card.priv.onFrame = (frame) => receive(host.dev, frame)
    const nic = netDeviceStreams(card)
    const tap: TapInterface = nic
    expect(tap.mac).toBe(MAC_B)
    const reader = tap.readable.getReader()
    const writer = tap.writable.getWriter()
    receive(card, arpRequest({ senderMac: MAC_A, senderIp: '10.0.0.1', targetIp: '10.0.0.7' }))
    const got = await reader.read()
    expect(formatFrame(got.value!)).toContain('who-has 10.0.0.7 tell 10.0.0.1')
    await writer.write(arpRequest({ senderMac: MAC_B, senderIp: '10.0.0.7', targetIp: '10.0.0.1' }))
    host.kernel.runFor(1e6)
    // Our stack answered the stack behind the streams.
    const answer = await reader.read()
    expect(formatFrame(answer.value!)).toContain('Reply 10.0.0.1 is-at 02:00:00:00:00:01')
    nic.close()
    expect((await reader.read()).done).toBe(true)
    host.end()
  })

  it('drops and counts what nobody reads, and what is no frame', async () => {
    const kernel = createKernel()
    const dev = makeDev(kernel, MAC_A)
    const nic = netDeviceStreams(dev)
    for (let i = 0; i < 300; i++) receive(dev, new Uint8Array(60))
    expect(nic.dropped).toBe(44)
    const writer = (nic.writable as WritableStream<Uint8Array>).getWriter()
    await writer.write(new Uint8Array(13))
    await writer.write(new Uint8Array(1519))
    expect(nic.dropped).toBe(46)
    expect(dev.priv.sent).toEqual([])
    nic.close()
    expect(kernel.census.take().some(({ kind }) => kind === 'skb')).toBe(false)
  })
})
