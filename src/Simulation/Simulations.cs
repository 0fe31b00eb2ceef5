namespace HttpResilience.Simulation;

/// <summary>Runs independent simulations, each on one thread, as many at once as there are processors.</summary>
internal static class Simulations
{
    /// <param name="runs">The simulations.</param>
    /// <param name="progress">Gets the number of those that have ended, and of all.</param>
    /// <returns>The results in the order of the simulations.</returns>
    internal static IReadOnlyList<T> Run<T>(IReadOnlyList<Func<T>> runs, Action<int, int> progress)
    {
        var results = new T[runs.Count];
        Exception? failure = null;
        int begun = 0, ended = 0;
        // Not on the pool: a simulation would hold its thread for seconds.
        Thread[] threads = [.. Enumerable.Range(0, Math.Min(Environment.ProcessorCount, runs.Count)).Select(_ => new Thread(Work))];
        Array.ForEach(threads, t => t.Start());
        Array.ForEach(threads, t => t.Join());
        return failure is null ? results : throw new InvalidOperationException("A simulation failed.", failure);

        void Work()
        {
            while (failure is null && Interlocked.Increment(ref begun) - 1 is var run && run < runs.Count)
            {
                try
                {
                    results[run] = runs[run]();
                }
                catch (Exception e)
                {
                    failure = e;
                }

                progress(Interlocked.Increment(ref ended), runs.Count);
            }
        }
    }
}
