// "Once everything that is ready now has been handled": where the frames of one tick are joined into one send.

/** After the input that is ready and the promises it settles; before any timer of a millisecond. */
export const afterReadyInput: (callback: () => void) => void =
  typeof setImmediate === 'function'
    ? (callback) => void setImmediate(callback)
    : (callback) => void setTimeout(callback, 0)
