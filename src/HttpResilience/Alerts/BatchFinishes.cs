namespace HttpResilience;

/// <summary>Tells the whole process that a named batch has finished: batches belong to no container, those who watch them do.</summary>
internal static class BatchFinishes
{
    internal static event Action<string>? Finished;

    internal static void Notify(string name) => Finished?.Invoke(name);
}
