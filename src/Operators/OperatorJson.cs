using System.Text.Json.Serialization;

namespace HttpResilience.Operators;

/// <summary>The JSON of the API, for those who write it and those who read it.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(LetterPage))]
[JsonSerializable(typeof(LetterModel))]
[JsonSerializable(typeof(GroupList))]
[JsonSerializable(typeof(CountsModel))]
[JsonSerializable(typeof(ClientList))]
[JsonSerializable(typeof(ClientDetail))]
[JsonSerializable(typeof(PauseRequest))]
[JsonSerializable(typeof(BudgetList))]
[JsonSerializable(typeof(SettingList))]
[JsonSerializable(typeof(IncidentPage))]
[JsonSerializable(typeof(BatchPage))]
[JsonSerializable(typeof(BatchDetail))]
[JsonSerializable(typeof(UnreplayedList))]
[JsonSerializable(typeof(ReplayRequest))]
[JsonSerializable(typeof(ResolveRequest))]
[JsonSerializable(typeof(ResubmitRequest))]
[JsonSerializable(typeof(PurgeRequest))]
[JsonSerializable(typeof(PurgePreview))]
[JsonSerializable(typeof(PurgeResult))]
[JsonSerializable(typeof(UndoRequest))]
[JsonSerializable(typeof(JobModel))]
[JsonSerializable(typeof(JobList))]
[JsonSerializable(typeof(JobRequest))]
[JsonSerializable(typeof(StopRequest))]
[JsonSerializable(typeof(ActivityPage))]
[JsonSerializable(typeof(InstanceList))]
[JsonSerializable(typeof(CircuitList))]
[JsonSerializable(typeof(CircuitModel))]
[JsonSerializable(typeof(CircuitRequest))]
[JsonSerializable(typeof(ProblemModel))]
internal sealed partial class OperatorJson : JsonSerializerContext;
