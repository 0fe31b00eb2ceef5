namespace HttpResilience.Tests.Http;

/// <summary>Rows that can be enumerated only once, as those of a data reader.</summary>
internal static class OneShot
{
    internal static IEnumerable<string> Rows(IEnumerable<string> rows)
    {
        var left = new Queue<string>(rows);
        return Read();

        IEnumerable<string> Read()
        {
            while (left.TryDequeue(out string? row))
                yield return row;
        }
    }

    internal static IAsyncEnumerable<string> RowsAsync(IEnumerable<string> rows)
    {
        var left = Rows(rows);
        return Read();

        async IAsyncEnumerable<string> Read()
        {
            foreach (string row in left)
            {
                await Task.Yield();
                yield return row;
            }
        }
    }
}
