using Microsoft.Extensions.Http.Resilience;
using Polly;

namespace HttpResilience.Migration;

/// <summary>
/// Stands where the standard handler stood while the handlers of a client are collected, so that <c>RemoveAllResilienceHandlers</c> finds
/// something to remove, and the chain with it. Sends nothing.
/// </summary>
internal sealed class TakenPlace() : ResilienceHandler(ResiliencePipeline<HttpResponseMessage>.Empty);
