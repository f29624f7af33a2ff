import { connect } from 'node:net'
import type { Transport } from '@vnet/tools'

/** Reaches a machine in another process: one stream for each descriptor. */
export function socketTransport(path: string): Transport {
  return {
    open(onBytes, onClose) {
      const socket = connect(path)
      let over = false
      socket.on('data', onBytes)
      socket.on('error', () => {})
      socket.on('close', () => {
        if (!over) onClose()
        over = true
      })
      return {
        send: (bytes) => void socket.write(bytes),
        close: () => {
          over = true
          socket.destroy()
        },
      }
    },
  }
}
