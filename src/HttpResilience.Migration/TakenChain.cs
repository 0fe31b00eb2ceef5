namespace HttpResilience.Migration;

/// <summary>
/// Knows, while the handlers of a client are collected, which of them have taken the place of the standard handler. A chain that the
/// application has added to the client itself is not among them. Sends nothing.
/// </summary>
internal sealed class TakenChain(IReadOnlyList<DelegatingHandler> handlers) : DelegatingHandler
{
    internal IReadOnlyList<DelegatingHandler> Handlers => handlers;
}
