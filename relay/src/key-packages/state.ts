// Which key packages are handed out and which leave the store for it. Pure.

/** Packages kept for one device: a busy device meets that many new conversations between two connections. */
export const PACKAGES_PER_DEVICE_MAX = 64

export interface StoredPackage {
  /** Ascending in the order of publication. */
  readonly sequence: number
  readonly keyPackage: Uint8Array
}

export interface DeviceSupply {
  /** 32 bytes */
  readonly device: Uint8Array
  /** Its oldest single-use package, if any is left. */
  readonly oldest: StoredPackage | undefined
  /** Handed out when there is no other; never consumed. */
  readonly lastResort: Uint8Array | undefined
}

export interface Handout {
  readonly device: Uint8Array
  readonly keyPackage: Uint8Array
  readonly lastResort: boolean
  /** Sequence of the package that is used up by this. */
  readonly consumed: number | undefined
}

/** One package a device, for those that have any. `mayConsume` false: last-resort packages only. */
export function handOut(supplies: readonly DeviceSupply[], mayConsume: boolean): Handout[] {
  const handouts: Handout[] = []
  for (const { device, oldest, lastResort } of supplies) {
    if (oldest !== undefined && mayConsume) {
      const { keyPackage, sequence } = oldest
      handouts.push({ device, keyPackage, lastResort: false, consumed: sequence })
    } else if (lastResort !== undefined) {
      handouts.push({ device, keyPackage: lastResort, lastResort: true, consumed: undefined })
    }
  }
  return handouts
}
