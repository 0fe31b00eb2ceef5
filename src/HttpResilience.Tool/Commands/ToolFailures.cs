using Microsoft.Extensions.Options;

namespace HttpResilience.Tool;

/// <summary>Turns failures into sentences on standard error and an exit code.</summary>
internal static class ToolFailures
{
    internal static async Task<int> GuardAsync(Func<Task<int>> run, CancellationToken cancellationToken)
    {
        try
        {
            return await run().ConfigureAwait(false);
        }
        catch (ToolException e)
        {
            return Fail(e.Message, e.ExitCode);
        }
        catch (HttpResilienceStorageException e)
        {
            return Fail(e.Message, ExitCode.StoreAway);
        }
        catch (OptionsValidationException e)
        {
            return Fail(string.Join(Environment.NewLine, e.Failures), ExitCode.Failed);
        }
        // The letter is being sent, settled, changed or gone.
        catch (Exception e) when (e is InvalidOperationException or KeyNotFoundException or ArgumentException)
        {
            return Fail(e.Message, ExitCode.Failed);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return Fail("Interrupted.", ExitCode.Interrupted);
        }
    }

    internal static int Fail(string message, int exitCode)
    {
        Console.Error.WriteLine(VisibleText.Of(message));
        return exitCode;
    }
}
