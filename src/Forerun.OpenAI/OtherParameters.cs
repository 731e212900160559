using System.Text.Json;

namespace Forerun.OpenAI;

/// <summary>Parameters beside the supported ones. What would change the answer is refused by name; a value that asks for
/// nothing is accepted.</summary>
internal static class OtherParameters
{
    /// <summary>They never change the text.</summary>
    private static readonly HashSet<string> WithoutEffect =
    [
        "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key", "prompt_cache_retention",
        "parallel_tool_calls",
    ];

    /// <summary>Known and not supported, with the value that asks for nothing.</summary>
    private static readonly Dictionary<string, Func<JsonElement, bool>> Neutral = new()
    {
        ["n"] = value => IsNumber(value, 1),
        ["best_of"] = value => IsNumber(value, 1),
        ["frequency_penalty"] = value => IsNumber(value, 0),
        ["presence_penalty"] = value => IsNumber(value, 0),
        ["top_logprobs"] = _ => false,
        ["logit_bias"] = IsEmpty,
        ["tools"] = IsEmpty,
        ["functions"] = IsEmpty,
        ["tool_choice"] = value => IsText(value, "none") || IsText(value, "auto"),
        ["function_call"] = value => IsText(value, "none") || IsText(value, "auto"),
        ["tool_calls"] = IsEmpty,
        ["tool_call_id"] = _ => false,
        ["refusal"] = _ => false,
        ["response_format"] = value =>
            value.ValueKind == JsonValueKind.Object && value.TryGetProperty("type", out var type) && IsText(type, "text"),
        ["modalities"] = value =>
            value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => IsText(item, "text")),
        ["audio"] = _ => false,
        ["prediction"] = _ => false,
        ["reasoning_effort"] = _ => false,
        ["verbosity"] = _ => false,
        ["web_search_options"] = _ => false,
        ["echo"] = value => value.ValueKind == JsonValueKind.False,
        ["suffix"] = value => IsText(value, ""),
        ["name"] = _ => false,
    };

    /// <summary>Checks them all.</summary>
    /// <param name="others">What was sent beside the supported parameters.</param>
    /// <param name="path">Put before their names.</param>
    /// <exception cref="RequestRefusedException">One asks for something.</exception>
    public static void Check(Dictionary<string, JsonElement>? others, string path = "")
    {
        foreach (var (name, value) in others ?? [])
        {
            if (value.ValueKind == JsonValueKind.Null || WithoutEffect.Contains(name))
            {
                continue;
            }

            if (!Neutral.TryGetValue(name, out var isNeutral))
            {
                throw RequestRefusedException.Invalid(
                    $"The parameter '{path}{name}' is not known. Leave it out.", path + name, "unknown_parameter");
            }

            if (!isNeutral(value))
            {
                throw RequestRefusedException.Invalid(
                    $"The parameter '{path}{name}' is not supported with this value. Leave it out.",
                    path + name,
                    "unsupported_parameter");
            }
        }
    }

    private static bool IsNumber(JsonElement value, double expected) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number == expected;

    private static bool IsText(JsonElement value, string expected) =>
        value.ValueKind == JsonValueKind.String && value.ValueEquals(expected);

    private static bool IsEmpty(JsonElement value) =>
        (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0)
        || (value.ValueKind == JsonValueKind.Object && value.GetPropertyCount() == 0);
}
