using System.Text.Json;
using System.Text.Json.Serialization;
using Forerun.Core.Sampling;

namespace Forerun.Cli.Running;

/// <summary>Rules of acceptance as users write them.</summary>
internal static class RuleNames
{
    /// <summary>All names.</summary>
    public static string[] All { get; } = [.. Enum.GetValues<AcceptanceRule>().Select(Of)];

    /// <summary>The name of a rule.</summary>
    public static string Of(AcceptanceRule rule) => JsonNamingPolicy.KebabCaseLower.ConvertName(rule.ToString());

    /// <summary>The rule of a name that <see cref="Of"/> gave.</summary>
    public static AcceptanceRule Parse(string name) => Enum.GetValues<AcceptanceRule>().Single(rule => Of(rule) == name);
}

/// <summary>Rules in JSON under the same names.</summary>
internal sealed class RuleConverter() : JsonStringEnumConverter<AcceptanceRule>(JsonNamingPolicy.KebabCaseLower);
