/** Does something `times` times, with at most `lanes` under way: most faults are a matter of waiting. In order of `time`. */
export async function sideBySide<T>(times: number, lanes: number, work: (time: number) => Promise<T>): Promise<T[]> {
  const outcomes: T[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let time = next++; time < times; time = next++) outcomes[time] = await work(time);
  };
  await Promise.all(Array.from({ length: Math.min(lanes, times) }, lane));
  return outcomes;
}
