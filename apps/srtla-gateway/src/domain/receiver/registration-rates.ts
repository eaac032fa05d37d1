/** A rate of attempts, and how many may come at once. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

/** What is taken of REG1, and of REG2 with ids that nobody here knows: each costs a sealing or an opening, some 15 us. */
export interface RegistrationRates {
  /** Of one address, whatever the port. */
  readonly source: Rate;
  /** Of one network: IPv4 /24, IPv6 /56. */
  readonly network: Rate;
  /** Of all the world: forged source addresses know no bounds, and those who stream already are not to feel them. */
  readonly listener: Rate;
}
