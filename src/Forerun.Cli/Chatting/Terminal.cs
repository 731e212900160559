using System.Text;
using Spectre.Console;

namespace Forerun.Cli.Chatting;

/// <summary>Consoles that break no lines of their own: answers come in pieces, and a terminal wraps them itself. Nor has a
/// file or a pipe a width to break tables at.</summary>
internal static class Terminal
{
    private const int NoWrap = 1 << 20;

    /// <summary>Standard output.</summary>
    public static IAnsiConsole Output() => Create(Console.Out);

    /// <summary>Standard error.</summary>
    public static IAnsiConsole Errors() => Create(Console.Error);

    /// <summary>Lets tables on standard output be as wide as they are where it is no terminal; a terminal keeps its width.
    /// </summary>
    public static void UnwrapRedirectedTables()
    {
        if (Console.IsOutputRedirected)
        {
            AnsiConsole.Profile.Width = NoWrap;
        }
    }

    /// <summary>Text that cannot steer a terminal: control characters but line breaks and tabs become U+FFFD.</summary>
    public static string Safe(string text)
    {
        if (!text.Any(IsUnsafe))
        {
            return text;
        }

        var safe = new StringBuilder(text);
        for (var i = 0; i < safe.Length; i++)
        {
            if (IsUnsafe(safe[i]))
            {
                safe[i] = '\uFFFD';
            }
        }

        return safe.ToString();
    }

    private static bool IsUnsafe(char character) => char.IsControl(character) && character is not ('\n' or '\t');

    private static IAnsiConsole Create(TextWriter writer)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });
        console.Profile.Width = NoWrap;
        return console;
    }
}
