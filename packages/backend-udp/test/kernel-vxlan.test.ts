import { execFileSync, spawn } from 'node:child_process'
import { accounts } from '@vnet/backend'
import { createKernel } from '@vnet/kernel'
import { Netns } from '@vnet/linux'
import { describe, expect, it } from 'vitest'
import { vxlanBackend } from '../src/vxlan-backend.ts'
import { send, StubCard, until } from '../../../test/lib/stub-card.ts'

function host(netns: Netns, command: string): string {
  const [program, ...args] = command.split(' ')
  return netns.run(() =>
    execFileSync(program!, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }),
  )
}

/** Why this machine has no vxlan to talk to, printed; false when it has. */
function skipReason(): string | false {
  try {
    const netns = Netns.create()
    host(netns, 'ip link add va type veth peer name vb')
    host(netns, 'ip link add vx0 type vxlan id 1 remote 127.0.0.1 dstport 4789')
    netns.close()
    return false
  } catch (error) {
    const { message } = error as Error
    console.warn(`skipped, vxlan of the host: ${message}`)
    return message
  }
}

/** An ARP request from 10.9.0.2 for 10.9.0.1, padded. */
const WHO_HAS = Uint8Array.of(
  ...[255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1, 8, 6],
  ...[0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 1, 10, 9, 0, 2],
  ...[0, 0, 0, 0, 0, 0, 10, 9, 0, 1, ...new Uint8Array(18)],
)

describe.skipIf(skipReason())('the vxlan of a Linux host', () => {
  it('answers us, over two namespaces and a cable between them', async () => {
    const kernel = createKernel({ clock: 'real' })
    const [ours, theirs] = [Netns.create(), Netns.create()]
    // A process there gives the namespace a number that `ip link` takes.
    const inhabitant = theirs.run(() => spawn('sleep', ['60']))
    host(ours, `ip link add va type veth peer name vb netns ${inhabitant.pid}`)
    host(ours, 'ip addr add 10.8.0.1/24 dev va')
    host(ours, 'ip link set va up')
    host(theirs, 'ip addr add 10.8.0.2/24 dev vb')
    host(theirs, 'ip link set vb up')
    host(theirs, 'ip link add vx0 type vxlan id 42 remote 10.8.0.1 dstport 4789')
    host(theirs, 'ip addr add 10.9.0.1/24 dev vx0')
    host(theirs, 'ip link set vx0 up')
    const cable = ours.run(() => vxlanBackend(kernel, { vni: 42, local: '10.8.0.1', remotes: ['10.8.0.2'] }))
    const card = new StubCard()
    cable.attach(card)
    try {
      await cable.ready
      for (let n = 1; n <= 20; n++) {
        send(cable, WHO_HAS)
        await until(() => card.ofType(0x0806).length >= n, `answer ${n}`)
      }
      const answer = card.ofType(0x0806)[0]!
      expect([...answer.subarray(0, 6)]).toEqual([2, 0, 0, 0, 0, 1])
      expect([...answer.subarray(28, 32)]).toEqual([10, 9, 0, 1])
      expect(cable.stats).toMatchObject({ rxInvalid: 0, rxOtherVni: 0, txErrors: 0 })
      expect(accounts(cable).problems).toEqual([])
    } finally {
      cable.close()
      inhabitant.kill()
      ours.close()
      theirs.close()
      kernel.shutdown()
    }
  })
})
