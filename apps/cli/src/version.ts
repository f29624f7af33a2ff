/** The version of `vnet`: that of `@vnet/vnet`, here so that `--version` need not load the driver. */
export const DRV_VERSION = '0.6.0'
