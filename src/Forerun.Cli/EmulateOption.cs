using System.CommandLine;
using Forerun.Core.Emulation;

namespace Forerun.Cli;

/// <summary>The option <c>--emulate</c>: whose times the engines' work is stretched to.</summary>
internal static class EmulateOption
{
    /// <summary>The option of a command.</summary>
    /// <param name="what">What the command stretches.</param>
    /// <param name="none">A value that stands for no emulation; null = leaving the option out does.</param>
    public static Option<string?> Create(string what, string? none = null)
    {
        var option = new Option<string?>("--emulate")
        {
            Description = $"Stretch {what} to other hardware's times: {string.Join(", ", EmulatedProfile.Named.Select(profile => profile.Name))}, or a JSON file with name, draftMs (of {EmulatedProfile.DraftLength} tokens), verifyMs and networkMs.",
        };
        option.Validators.Add(result =>
        {
            try
            {
                if (result.Tokens is [var token] && token.Value != none)
                {
                    EmulatedProfileFile.Find(token.Value);
                }
            }
            catch (Exception exception) when (
                exception is ArgumentException or InvalidDataException or IOException or UnauthorizedAccessException)
            {
                result.AddError(exception.Message);
            }
        });
        return option;
    }

    /// <summary>The option for a process of this program.</summary>
    public static string[] Arguments(string? nameOrPath) => nameOrPath is null ? [] : ["--emulate", nameOrPath];

    /// <summary>The profile that is asked for; null = none.</summary>
    public static EmulatedProfile? Profile(ParseResult parsed, Option<string?> option) =>
        parsed.GetValue(option) is { } nameOrPath ? EmulatedProfileFile.Find(nameOrPath) : null;
}
