import { Netns } from '@vnet/linux'
import { host } from '../../linux/test/host.ts'

export { host, run, until } from '../../linux/test/host.ts'
export { hashOf, transfer } from '../../linux/test/tcp-stream.ts'

/** Why real-interface tests cannot run here, printed; false when they can. */
export function skipReason(): string | false {
  try {
    const netns = Netns.create()
    host(netns, 'ip link add va type veth peer name vb')
    netns.close()
    return false
  } catch (error) {
    const { message } = error as Error
    console.warn(`skipped, real interfaces: ${message}`)
    return message
  }
}
