import type { Capacity } from './capacity.ts';
import type { ServiceParts } from './service-spec.ts';

/**
 * The service inside the frame. The frame answers for it on the bus before it is there; until it moves in, it holds no session
 * and nothing is placed here.
 */
export class Tenant {
  private readonly capacityOf: () => Capacity;
  private parts: ServiceParts | undefined;

  constructor(capacityOf: () => Capacity) {
    this.capacityOf = capacityOf;
  }

  moveIn(parts: ServiceParts): void {
    this.parts = parts;
  }

  get present(): boolean {
    return this.parts !== undefined;
  }

  sessions(): number {
    return this.parts?.sessions() ?? 0;
  }

  capacity(): { limit: number; used: number } {
    return this.parts === undefined ? { limit: 0, used: 0 } : this.capacityOf().snapshot();
  }

  /** 0 to 1. */
  load(): number {
    const { limit, used } = this.capacity();
    return this.parts?.load?.() ?? (limit === 0 ? 1 : Math.min(1, used / limit));
  }

  onDrain(draining: boolean): void {
    this.parts?.onDrain?.(draining);
  }

  async closeAll(): Promise<void> {
    await this.parts?.closeAll();
  }

  async closeOrphans(sessionIds: readonly string[]): Promise<void> {
    await this.parts?.closeOrphans(sessionIds);
  }
}
