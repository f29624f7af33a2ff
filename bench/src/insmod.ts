/** What an insmod needs, for a process that does nothing else. */
export { createKernel } from '@vnet/kernel'
export { createVnetModule } from '@vnet/vnet'
