namespace HttpResilience;

/// <summary>The observers of a client's calls, kept for it in a slot.</summary>
internal static class ClientObservers
{
    extension(Client client)
    {
        /// <summary>Null when the application has none.</summary>
        internal CallObservers? Observers => client.Get<CallObservers>();
    }
}
