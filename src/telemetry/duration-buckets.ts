/**
 * Upper bounds in seconds of every duration histogram that workers keep: the defaults of Prometheus clients, extended
 * below 5 ms, where a gateway in front of fast services spends most of its requests.
 */
export const durationBuckets: readonly number[] = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Slots of one histogram in a slab: a count for each bucket (not cumulative), one for what is above all, the sum. */
export const histogramSlots = durationBuckets.length + 2;
