using Microsoft.AspNetCore.Http;

namespace HttpResilience.AspNetCore;

/// <summary>One letter, or the answer that says why there is none.</summary>
internal static class StoredLetter
{
    /// <exception cref="ApiProblemException">404; or 500, when the store answers and cannot read this one.</exception>
    internal static async Task<DeadLetter> FindAsync(ApiCall call, Guid id)
    {
        try
        {
            return await call.Review.FindAsync(id, call.Reading).ConfigureAwait(false) ?? throw ApiProblemException.NoLetter(id);
        }
        catch (HttpResilienceStorageException) when (!call.Aborted.IsCancellationRequested)
        {
            // Throws when the store does not answer at all.
            await call.Review.CountAsync(call.Reading).ConfigureAwait(false);
            throw ApiProblemException.Of(
                StatusCodes.Status500InternalServerError, $"Letter {id} cannot be read.",
                "It may come from a newer version of the application, or its row was edited.");
        }
    }
}
