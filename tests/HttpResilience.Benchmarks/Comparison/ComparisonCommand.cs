namespace HttpResilience.Benchmarks;

/// <summary><c>comparison</c>: measures other packages beside the chain, and writes the tables of a page and its plots.</summary>
internal static class ComparisonCommand
{
    /// <returns>1 when a result of ours is not the right one.</returns>
    internal static async Task<int> RunAsync(CommandOptions options)
    {
        string output = options.Output ?? Path.Combine("docs", "comparison.md");
        bool isRight = true;
        foreach (var part in ComparisonPart.Only(options.Only))
        {
            Console.Error.WriteLine($"part '{part.Name}'");
            var result = await part.RunAsync(options);
            foreach (var (file, plot) in result.Plots)
                await File.WriteAllTextAsync(Path.Combine(Path.GetDirectoryName(output)!, file), plot);

            // Each part is kept as soon as it is measured.
            var page = new MarkedPage(await File.ReadAllTextAsync(output));
            await File.WriteAllTextAsync(output, page.With(part.Name, result.Lines).Text);
            foreach (string difference in result.Differences)
                Console.WriteLine(difference);
            isRight &= result.IsRight;
        }

        Console.WriteLine($"page: {output}");
        return isRight ? 0 : 1;
    }
}
