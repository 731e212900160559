using System.Collections.Immutable;
using System.Text.Json;
using Forerun.Inference.Tokenization;
using Forerun.OpenAI.Wire;

namespace Forerun.OpenAI;

/// <summary>Messages, prompts and stop strings out of their many JSON forms.</summary>
internal static class ConversationMapping
{
    private const int MaxStopStrings = 16;
    private const int MaxStopLength = 256;

    /// <summary>The turns of a conversation.</summary>
    /// <exception cref="RequestRefusedException">There are none, or one is not a text of a known role.</exception>
    public static ImmutableArray<ChatMessage> ToTurns(ImmutableArray<RequestMessage>? messages) =>
        messages is { IsDefaultOrEmpty: false } some
            ? [.. some.Select((message, index) => ToTurn(message, $"messages[{index}]"))]
            : throw RequestRefusedException.Invalid(
                "The field 'messages' is missing or empty: expected at least one message.", "messages");

    /// <summary>The prompt of a text completion.</summary>
    /// <exception cref="RequestRefusedException">It is not one string.</exception>
    public static string ToPrompt(JsonElement? prompt)
    {
        var strings = prompt is { } some ? Strings(some) : null;
        return strings is [var text]
            ? text
            : throw RequestRefusedException.Invalid(
                "The field 'prompt' is missing or not supported: expected a string, or an array of one string.", "prompt");
    }

    /// <summary>The stop strings.</summary>
    /// <exception cref="RequestRefusedException">They are no strings, empty, too many or too long.</exception>
    public static IReadOnlyList<string> ToStopStrings(JsonElement? stop)
    {
        if (stop is null or { ValueKind: JsonValueKind.Null })
        {
            return [];
        }

        var strings = Strings(stop.Value);
        return strings is not null && strings.Count <= MaxStopStrings
            && strings.All(text => text.Length is > 0 and <= MaxStopLength)
            ? strings
            : throw RequestRefusedException.Invalid(
                $"The field 'stop' is not usable: expected a string, or at most {MaxStopStrings} of them, each of 1 to "
                + $"{MaxStopLength} characters.",
                "stop");
    }

    private static ChatMessage ToTurn(RequestMessage message, string path)
    {
        OtherParameters.Check(message?.Others, $"{path}.");
        var role = message?.Role switch
        {
            "system" or "developer" => "system",
            "user" => "user",
            "assistant" => "assistant",
            var other => throw RequestRefusedException.Invalid(
                $"The role of a message is '{other}': expected 'system', 'developer', 'user' or 'assistant'.",
                $"{path}.role"),
        };
        return new ChatMessage(role, ToText(message.Content, $"{path}.content"));
    }

    private static string ToText(JsonElement? content, string path) => content switch
    {
        { ValueKind: JsonValueKind.String } text => text.GetString()!,
        { ValueKind: JsonValueKind.Array } parts => string.Concat(
            parts.EnumerateArray().Select((part, index) => PartText(part, $"{path}[{index}]"))),
        _ => throw RequestRefusedException.Invalid(
            "The content of a message is missing: expected a string, or an array of text parts.", path),
    };

    private static string PartText(JsonElement part, string path)
    {
        var type = part.ValueKind == JsonValueKind.Object && part.TryGetProperty("type", out var name)
            && name.ValueKind == JsonValueKind.String ? name.GetString() : null;
        return type == "text" && part.TryGetProperty("text", out var text) && text.ValueKind == JsonValueKind.String
            ? text.GetString()!
            : throw RequestRefusedException.Invalid(
                $"A part of a message has the type '{type}': expected 'text'. The target reads nothing else.", path);
    }

    private static List<string>? Strings(JsonElement value)
    {
        JsonElement[] items = value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()] : [value];
        return items.All(item => item.ValueKind == JsonValueKind.String)
            ? [.. items.Select(item => item.GetString()!)]
            : null;
    }
}
