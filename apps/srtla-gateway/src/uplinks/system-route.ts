import type { RouteProblem } from './route-problem.ts';

export const systemRouteProblem: RouteProblem = async () => '';
